"""An identity provider on a loopback socket (Cognito's GetUser, Login with Amazon's two calls, userinfo), and its bad days."""

import base64
import json
import socket
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

POOL_ID, CLIENT_ID = "eu-west-1_Q7rT2mXa9", "3n4b5urk1ft4fl3mg5e62d9ado"
ISSUER = f"https://cognito-idp.eu-west-1.amazonaws.com/{POOL_ID}"
LWA_CLIENT_ID = "amzn1.application-oa2-client.5f3c9d7e1b8a4c6f"


def jwt(claims: dict[str, Any]) -> str:
    """A token of a JWT's shape; nothing in the function verifies a signature, the provider's endpoint does."""
    parts = [{"alg": "RS256", "kid": "test"}, claims, {"signature": "not checked here"}]
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)


def cognito_token(sub: str, /, **changes: Any) -> str:
    """A Cognito access token of our pool and client, as it looks; None as a change takes a claim away."""
    claims = {"sub": sub, "iss": ISSUER, "client_id": CLIENT_ID, "token_use": "access", "exp": 4_000_000_000, "scope": "openid"}
    return jwt({name: value for name, value in {**claims, **changes}.items() if value is not None})


class LoopbackProvider:
    """`profiles` maps tokens to what the provider knows; `misbehave`, where set, answers instead."""

    def __init__(self) -> None:
        self.profiles: dict[str, dict[str, Any]] = {}
        self.keys: list[dict[str, Any]] = []  # its published key set, for Cognito and for OpenID alike
        self.issuer = ""  # as its discovery document says it
        self.requests: list[str] = []
        self.misbehave: Callable[[BaseHTTPRequestHandler], None] | None = None
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *args: Any) -> None: ...

            def do_GET(self) -> None:
                self.answer()

            def do_POST(self) -> None:
                self.answer()

            def answer(self) -> None:
                self.content = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                provider.requests.append(urlsplit(self.path).path)
                if provider.misbehave:
                    provider.misbehave(self)
                else:
                    send_json(self, *provider.answer_for(self))

        return Handler

    def answer_for(self, request: Any) -> tuple[int, dict[str, Any]]:
        url = urlsplit(request.path)
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if url.path == "/":
            return self._get_user(json.loads(request.content)["AccessToken"])
        if url.path.endswith("/.well-known/jwks.json"):
            return 200, {"keys": self.keys}
        if url.path.endswith("/.well-known/openid-configuration"):
            return 200, {"issuer": self.issuer, "jwks_uri": f"{self.url}/.well-known/jwks.json"}
        if url.path == "/auth/o2/tokeninfo":
            return self._tokeninfo(parse_qs(url.query)["access_token"][0])
        profile = self.profiles.get(bearer)
        return (200, profile) if profile else (401, {"error": "invalid_token"})

    def _get_user(self, token: str) -> tuple[int, dict[str, Any]]:
        if token not in self.profiles:
            return 400, {"__type": "NotAuthorizedException", "message": "Access Token has been revoked"}
        attributes = [{"Name": name, "Value": value} for name, value in self.profiles[token].items()]
        return 200, {"Username": "4d7e", "UserAttributes": attributes}

    def _tokeninfo(self, token: str) -> tuple[int, dict[str, Any]]:
        if token not in self.profiles:
            return 400, {"error": "invalid_token", "error_description": "The token is not valid", "request_id": "7c1f"}
        return 200, {"iss": "https://www.amazon.com", "aud": LWA_CLIENT_ID, "user_id": self.profiles[token]["user_id"], "exp": 3597}


def send_json(request: Any, status: int, body: dict[str, Any]) -> None:
    send(request, status, json.dumps(body).encode(), "application/json")


def send(request: Any, status: int, content: bytes, content_type: str = "text/html", **headers: str) -> None:
    request.send_response(status)
    for name, value in {"Content-Type": content_type, "Content-Length": str(len(content)), **headers}.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(content)


def sleep_then_close(seconds: float) -> Callable[[Any], None]:
    """Says nothing for so long, then hangs up."""

    def misbehave(request: Any) -> None:
        time.sleep(seconds)
        hang_up(request)

    return misbehave


def hang_up(request: Any) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def drip(request: Any) -> None:
    """One byte of the header at a time, for ever: no socket timeout ever fires."""
    try:
        for byte in b"HTTP/1.1 200 OK\r\nX-Padding: " + b"a" * 600:
            request.wfile.write(bytes([byte]))
            request.wfile.flush()
            time.sleep(0.1)
    except OSError:
        request.close_connection = True


def reset(request: Any) -> None:
    """Hangs up in the middle of a body."""
    request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 400\r\n\r\n{"Username": "4')
    request.wfile.flush()
    hang_up(request)
