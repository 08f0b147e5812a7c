"""Entry point of the AWS Lambda function: the template names `lambda_function.handler`."""

from linked_profile.bootstrap import build_handler
from linked_profile.settings import Settings

handler = build_handler(Settings.from_environ())
