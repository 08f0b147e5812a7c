"""Entry point of the AWS Lambda function with an HTTPS endpoint: API Gateway, function URLs, and Alexa's own trigger as before."""

from linked_profile.api_gateway import gateway_handler
from linked_profile.bootstrap import build_handler
from linked_profile.https_endpoint import build_https_endpoint
from linked_profile.settings import Settings

settings = Settings.from_environ()
plain_handler = build_handler(settings)
handler = gateway_handler(build_https_endpoint(settings, plain_handler), plain_handler)
