"""Alexa's side of a skill with account linking, on this machine: no web framework, no knowledge of how the skill is run.

alexa                the customer's Alexa: enable, link, talk, disable; keeps the session, brings events again
account_linking      Alexa as an OAuth 2.0 client
login_page           a customer's browser, as far as a login page needs one
interaction_model    from what was said to an intent and its slots
envelopes            the JSON that a skill receives
skill                what Alexa needs of a skill, however it is reached
wire                 every message between the parties, for whoever shows or keeps them
clock                Alexa's clock, which can be moved on
"""
