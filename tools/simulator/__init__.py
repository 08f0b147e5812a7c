"""Alexa's side of a skill with account linking, on this machine; only the page and Login with Amazon know a web framework.

simulation               what a person may do: acts on the card, in conversation, with devices, and against the skill
  stage, *_acts          what acts share; the acts by what they are about
  state                  all that a page shows, as JSON
desk                     AWS, skill, identity provider and an Alexa in each customer's home
  options, addresses     how it is set up; which addresses may be opened
  providers, amazon      Cognito and Login with Amazon with the real template deployed; Amazon's own services as stand-ins
  provider_front, faults the way to a provider, which can fail
  customers, clock       whose accounts there are; Alexa's clock, which can be moved on
alexa                    the customer's Alexa: enables, links, talks, disables
  token_keeper, sign_ins its tokens over time; the sign-ins that were begun; known_secrets hides both on the wire
  account_linking        Alexa as an OAuth 2.0 client; linking_configuration, token_endpoint, token_answers
  linking_diagnosis      why linking failed, and which setting mends it
  login_page             a customer's browser, as far as a login page needs one
  interaction_model      from what was said to an intent and its slots; language_model, slot_types, spoken_*, usual_words
  judgement              whether Alexa would take an answer; answers, cards, ssml, findings
  delivery               how events are brought, until they are taken
  smart_home             grants, devices and directives; event_gateway takes what the skill sends
  envelopes, wire        the JSON that a skill receives; every message between the parties
skill                    what Alexa needs of a skill; url_skill, https_skill reach somebody's
page/                    the page in a browser
cli, commands/           the command line
storytelling/, stories/  scripted conversations with expectations
"""
