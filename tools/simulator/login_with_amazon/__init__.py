"""A stand-in for Login with Amazon on this machine: Amazon's own paths, tokens, scopes and error bodies, and none of its accounts.

server                the stand-in, from the outside
behavior              as Login with Amazon behaves, or as a developer may have set an authorization server up wrongly
site                  its pages and endpoints
authorization_server  OAuth 2.0 with Amazon's ways, on Authlib
grants                what codes and tokens are given for
ledger                clients, customers, codes and tokens
"""
