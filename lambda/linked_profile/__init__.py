"""The back end of an Alexa skill with account linking. Which module does what, and who may import whom.

A module imports from tiers below its own, never from its own or above (`make check` enforces it):

    lambda_function, https_function, wsgi, alexa_events      entry points
    api_gateway         HTTPS: what API Gateway and function URLs hand over
    wsgi_application    HTTPS: any WSGI server
    https_endpoint      HTTPS: proves that a request is Alexa's, then the same handler
    bootstrap           builds everything, routes the raw event by its shape
    intents             voice: launch, profile questions, built-ins, "not linked yet", spoken errors
    skill_events        SkillEnabled, SkillAccountLinked, SkillDisabled, permission events
    directives          smart home, video, music: whose token, who handles it, what every failure is answered with; AcceptGrant
    devices             where device logic goes; one example, a lamp
    account_proofs      whose token a directive carries, by its signature or on the provider's word
    observed_links      a linked customer's request stands in for a link event that was lost
    event_gateway       sends events to Alexa for an account, with fresh tokens
    account_mappings    the record: links, ends, the fold, its DynamoDB table
    grants              AcceptGrant's code becomes tokens, which are refreshed by one function at a time
    identity_providers  Profile; Amazon Cognito, Login with Amazon, any OpenID userinfo endpoint
    virtual_lamps       the example device's table
    directive_envelopes the shapes of directives and of their answers; pure
    grants_table, sealed_tokens, skill_messaging    how grants are stored, sealed and exchanged at Login with Amazon
    access_tokens       what an access token says of itself, and whether a key proves it; pure
    fold                links and ends, and what a set of them says; pure
    envelopes           strict reading of the raw JSON, before the SDK sees it; pure
    request_signature   Alexa's signature on an HTTPS request
    signing_keys        an identity provider's public keys: fetched, kept, fetched again
    aws_calls           calls to AWS inside the deadline
    signing_certificates, certificate_download      Alexa's certificates: proven up to a root, fetched
    outbound            the one HTTP client, and the deadline of an invocation
    speech, settings, errors, logs      standard library only

`ask_sdk_*` is imported in bootstrap, intents, skill_events and envelopes; `boto3` only when AWS is asked; `requests` in outbound;
`cryptography` and `jwt` only where signatures are checked, never for voice; `os.environ` in settings. Importing a module does no work: no
client, no environment, no clock.
"""
