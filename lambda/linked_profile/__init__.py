"""The back end of an Alexa skill with account linking. Which module does what, and who may import whom.

A module imports from tiers below its own, never from its own or above (`make check` enforces it):

1  lambda_function       entry point
2  bootstrap             builds everything, routes the raw event by its shape
3  intents               voice: launch, profile questions, built-ins, "not linked yet", spoken errors
   skill_events          SkillEnabled, SkillAccountLinked, SkillDisabled, permission events
4  observed_links        a linked customer's request stands in for a link event that was lost
5  account_mappings      the record: links, ends, the fold, its DynamoDB table
   identity_providers    Profile; Amazon Cognito, Login with Amazon, any OpenID userinfo endpoint
6  access_tokens         what an access token says of itself; pure
   fold                  links and ends, and what a set of them says; pure
   envelopes             strict reading of the raw JSON, before the SDK sees it; pure
7  outbound              the one HTTP client, and the deadline of an invocation
8  speech, settings, errors, logs      standard library only

`ask_sdk_*` is imported in tiers 2, 3 and envelopes; `boto3` in tiers 2 and 5, and only when the table is touched; `requests`
in outbound; `os.environ` in settings. Importing a module does no work: no client, no environment, no clock.
"""
