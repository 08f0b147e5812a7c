"""HTTPS requests as AWS hands them to a function: API Gateway's payloads of version 1 and 2; function URLs speak 2, load balancers 1."""

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from linked_profile.bootstrap import Handler
from linked_profile.https_endpoint import HttpsEndpoint, HttpsRequest


def gateway_handler(endpoint: HttpsEndpoint, handler: Handler) -> Handler:
    """A Lambda handler for both ways in.

    What came over HTTP has its text in `body` and is believed only when it is signed; a request of Alexa's own trigger is an event of
    another shape, which nobody can give to an HTTP request, and goes to `handler` as it is.
    """

    def handle(event: Any, context: object) -> dict[str, Any]:
        if not is_http(event):
            return handler(event, context)
        answer = endpoint.answer(read_request(event), context)
        return {
            "statusCode": int(answer.status),
            "headers": dict(answer.headers),
            "body": answer.body.decode(),
            "isBase64Encoded": False,
        }

    return handle


def is_http(event: object) -> bool:
    """Whatever a gateway hands over has a request context, with or without headers, and Alexa's messages never have."""
    return isinstance(event, dict) and isinstance(event.get("requestContext"), dict)


def read_request(event: Mapping[str, Any]) -> HttpsRequest:
    """The request as it was sent, byte for byte."""
    http = event["requestContext"].get("http")
    if isinstance(http, dict):  # version 2
        return HttpsRequest(str(http.get("method")), str(event.get("rawPath")), event.get("headers") or {}, read_body(event))
    headers = event.get("multiValueHeaders") or event.get("headers")  # in `headers`, the last of several values hides the others
    return HttpsRequest(str(event.get("httpMethod")), str(event.get("path")), headers or {}, read_body(event))


def read_body(event: Mapping[str, Any]) -> bytes:
    """Empty where there is none, and where it cannot be read: nothing that Alexa has signed."""
    body = event.get("body")
    if not isinstance(body, str):
        return b""
    try:
        return base64.b64decode(body, validate=True) if event.get("isBase64Encoded") is True else body.encode()
    except (ValueError, binascii.Error):
        return b""
