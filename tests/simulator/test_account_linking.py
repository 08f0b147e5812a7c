"""Every way in which linking an account fails ends in words that name the step, the cause and the setting that mends it."""

import base64
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.loopback_provider import drip, hang_up, reset, send, send_json
from tools.simulator import linking_errors
from tools.simulator.account_linking import (
    AccountLinking,
    AccountLinkingError,
    LinkingConfiguration,
    PendingLink,
    RefreshFailedError,
    RefreshRefusedError,
    SignInPageError,
    Tokens,
)
from tools.simulator.linking_configuration import redirect_urls
from tools.simulator.linking_diagnosis import accept_grant_failed, explain_page, tell
from tools.simulator.wire import Message

SECRET, CODE = "s3cret-of-the-client", "ANcodeThatIsUsedOnce"
TOKENS = {"access_token": "Atza|access", "refresh_token": "Atzr|refresh", "token_type": "bearer", "expires_in": 3600}
Answer = Callable[[Any], None]


class TokenServer:
    """A token endpoint that does what it is told: `answer` gets each request, its form and Authorization header."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.answer: Answer = lambda request: send_json(request, 200, TOKENS)
        self.forms: list[dict[str, str]] = []
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        if tls:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"http{'s' if tls else ''}://127.0.0.1:{self._server.server_port}/oauth2/token"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            def log_message(self, *args: Any) -> None: ...

            def do_POST(self) -> None:
                self.form = dict(parse_qsl(self.rfile.read(int(self.headers["Content-Length"])).decode()))
                server.forms.append(self.form)
                server.answer(self)

        return Handler


@pytest.fixture
def server() -> Iterator[TokenServer]:
    running = TokenServer()
    yield running
    running.close()


@pytest.fixture
def configuration(server: TokenServer) -> LinkingConfiguration:
    return LinkingConfiguration(
        "https://login.example.com/authorize?brand=a", server.url, "client", SECRET, ("profile", "openid"), redirect_urls("M12VENDOR")
    )


def signed_in(url: str, **changes: str | None) -> str:
    """The redirect that an authorization server answers with; None takes a value away."""
    asked = dict(parse_qsl(urlsplit(url).query))
    query = {"code": CODE, "state": asked["state"], **changes}
    return f"{asked['redirect_uri']}?{urlencode({name: value for name, value in query.items() if value is not None})}"


def refused(code: str, description: str = "it said so", status: int = 400) -> Answer:
    return lambda request: send_json(request, status, {"error": code, "error_description": description})


def failure(configuration: LinkingConfiguration, browse: Callable[[str], str] = signed_in, **options: Any) -> AccountLinkingError:
    messages: list[Message] = []
    with pytest.raises(AccountLinkingError) as caught:
        AccountLinking(configuration, messages.append, **options).link(browse)
    told = f"{caught.value} {messages}"
    assert SECRET not in told
    assert CODE not in told
    return caught.value


@pytest.mark.parametrize("region", ["NA", "EU", "FE"])
def test_an_account_is_linked_in_two_halves_with_the_redirect_url_of_each_region(
    region: str, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    linking = AccountLinking(configuration)
    pending = linking.begin(region)
    assert (pending.region, pending.redirect_url) == (region, configuration.redirect_urls[region])
    assert pending.url.startswith("https://login.example.com/authorize?brand=a&response_type=code&client_id=client&")
    assert linking.finish(pending, signed_in(pending.url)) == Tokens("Atza|access", "Atzr|refresh", 3600)
    (form,) = server.forms
    assert (form["redirect_uri"], form["code"], form["grant_type"]) == (pending.redirect_url, CODE, "authorization_code")


def test_the_code_verifier_is_the_one_that_was_challenged(server: TokenServer, configuration: LinkingConfiguration) -> None:
    pending = AccountLinking(configuration).begin()
    AccountLinking(configuration).finish(pending, signed_in(pending.url))
    digest = hashlib.sha256(server.forms[0]["code_verifier"].encode()).digest()
    challenge = parse_qs(urlsplit(pending.url).query)["code_challenge"]
    assert challenge == [base64.urlsafe_b64encode(digest).decode().rstrip("=")]


@pytest.mark.parametrize(
    ("scheme", "header", "secret"),
    [("HTTP_BASIC", "Basic " + base64.b64encode(f"client:{SECRET}".encode()).decode(), None), ("REQUEST_BODY_CREDENTIALS", None, SECRET)],
)
def test_the_client_authenticates_as_configured(
    scheme: Any, header: str | None, secret: str | None, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    seen: list[str | None] = []
    server.answer = lambda request: (seen.append(request.headers.get("Authorization")), send_json(request, 200, TOKENS))[1]
    AccountLinking(replace(configuration, access_token_scheme=scheme)).link(signed_in)
    assert (seen, server.forms[0].get("client_secret"), server.forms[0]["client_id"]) == ([header], secret, "client")


@pytest.mark.parametrize(
    ("changes", "cause", "mend"),
    [
        ({"state": None}, "did not return Alexa's state at all", "put state into the redirect"),
        ({"state": "other"}, "did not return Alexa's state as it was sent", "put state into the redirect"),
        ({"code": None}, "no authorization code", "put code into the redirect"),
        ({"error": "access_denied", "error_description": "The customer said no"}, "access_denied: The customer said no", "Sign in"),
        ({"error": "invalid_scope"}, "invalid_scope", "scopes"),
        ({"error": "unauthorized_client"}, "unauthorized_client", "Allow the authorization-code grant"),
        ({"error": "invalid_request", "error_description": "Unknown parameter code_challenge"}, "code_challenge", "S256"),
        ({"error": "teapot"}, "teapot: no description", "log"),
    ],
)
def test_the_cause_is_named_when_the_redirect_is_not_as_it_should_be(
    changes: dict[str, str | None], cause: str, mend: str, configuration: LinkingConfiguration
) -> None:
    error = failure(configuration, lambda url: signed_in(url, **changes))
    assert (error.step, cause in error.cause, mend in error.mend) == (linking_errors.REDIRECT, True, True), error


@pytest.mark.parametrize(
    ("tamper", "cause"),
    [
        (lambda url: url.replace("layla.", "layla2."), "sent the customer to https://layla2.amazon.com"),
        (lambda url: url.replace("layla.amazon.com", "pitangui.amazon.com"), "which is that of region NA"),
        (lambda url: url.replace("?", "/?"), "sent the customer to"),
        (lambda url: url.replace("?", "#"), "after a #"),
    ],
)
def test_the_cause_is_named_when_the_redirect_goes_elsewhere(
    tamper: Callable[[str], str], cause: str, configuration: LinkingConfiguration
) -> None:
    error = failure(configuration, lambda url: tamper(signed_in(url)))
    assert (error.step, cause in error.cause, bool(error.mend)) == (linking_errors.REDIRECT, True, True), error


@pytest.mark.parametrize(
    ("answer", "step", "cause", "mend"),
    [
        (refused("invalid_client", status=401), "code exchange", "HTTP 401, invalid_client: it said so", "clientSecret"),
        (refused("invalid_client", f"bad {SECRET}"), "code exchange", "invalid_client: bad …", "clientSecret"),
        (refused("invalid_grant"), "code exchange", "HTTP 400, invalid_grant", "used once"),
        (refused("invalid_grant", f"{CODE} is used"), "code exchange", "invalid_grant: … is used", "used once"),
        (refused("invalid_grant", "code_verifier mismatch"), "code exchange", "code_verifier mismatch", "S256"),
        (refused("invalid_request", "PKCE is not supported"), "code exchange", "PKCE is not supported", "S256"),
        (refused("unauthorized_client"), "code exchange", "unauthorized_client", "Allow the authorization-code grant"),
        (refused("server_error", status=200), "code exchange", "HTTP 200, server_error", "log"),
        (lambda r: send(r, 200, b"<html>Sign in</html>"), "code exchange", "a web page (HTML)", "accessTokenUrl"),
        (lambda r: send(r, 302, b"", Location="/login?a=b"), "code exchange", "redirects to /login, and", "accessTokenUrl"),
        (lambda r: send(r, 302, b'{"access_token": "a"}', Location="/x"), "code exchange", "redirects to /x", "accessTokenUrl"),
        (lambda r: send(r, 404, b"no"), "code exchange", "HTTP 404 without a JSON object", "there is no token endpoint"),
        (lambda r: send(r, 503, b"<p>busy"), "code exchange", "HTTP 503", "Try again later"),
        (lambda r: send(r, 200, b"access_token=a", "text/plain"), "code exchange", "without a JSON object", "application/json"),
        (lambda r: send(r, 200, b"[" * 50_000, "application/json"), "code exchange", "without a JSON object", "application/json"),
        (hang_up, "code exchange", "could not be reached", "accessTokenUrl"),
        (reset, "code exchange", "did not answer in HTTP: half an answer", "accessTokenUrl"),
        (lambda r: r.wfile.write(b"SSH-2.0-OpenSSH_9.9\r\n"), "code exchange", "did not answer in HTTP: BadStatusLine", "accessTokenUrl"),
    ],
)
def test_the_cause_is_named_when_the_token_endpoint_gives_no_tokens(
    answer: Answer, step: str, cause: str, mend: str, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    server.answer = answer
    error = failure(configuration)
    assert (error.step, cause in error.cause, mend in error.mend) == (step, True, True), error


@pytest.mark.parametrize(
    ("change", "cause", "mend"),
    [
        ({"expires_in": 300}, "lives 300 seconds; Alexa needs at least 360", "AccessTokenValidity"),
        ({"expires_in": "300"}, "lives 300 seconds", "AccessTokenValidity"),
        ({"expires_in": None}, "does not say expires_in", "defaultTokenExpirationInSeconds"),
        ({"expires_in": "soon"}, "no number of seconds: soon", "expires_in"),
        ({"expires_in": True}, "no number of seconds", "expires_in"),
        ({"expires_in": -1}, "no number of seconds: -1", "expires_in"),
        ({"expires_in": 10**400}, "no number of seconds: 1000", "expires_in"),
        ({"expires_in": "9" * 400}, "no number of seconds: 9999", "expires_in"),
        ({"expires_in": float("inf")}, "no number of seconds: inf", "expires_in"),
        ({"expires_in": 3600.5}, "no number of seconds: 3600.5", "expires_in"),
        ({"expires_in": "\u00b2"}, "no number of seconds", "expires_in"),
        ({"access_token": "Atza|\ud800"}, "access_token holds characters that no token may have", "printable ASCII"),
        ({"access_token": "Atza|a\nb"}, "access_token holds characters that no token may have", "printable ASCII"),
        ({"access_token": "Atza|N\u00fa\u00f1ez"}, "access_token holds characters that no token may have", "printable ASCII"),
        ({"refresh_token": "Atzr|\ud800"}, "refresh_token holds characters that no token may have", "printable ASCII"),
        ({"access_token": None}, "holds no access_token", "access_token"),
        ({"access_token": 7}, "holds no access_token", "access_token"),
        ({"refresh_token": None}, "no refresh_token: the link would die with the access token, after 3600 seconds", "offline_access"),
        ({"token_type": "mac"}, "token_type is mac", "Bearer"),
    ],
)
def test_the_cause_is_named_when_alexa_cannot_work_with_the_tokens(
    change: dict[str, Any], cause: str, mend: str, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    tokens = {name: value for name, value in (TOKENS | change).items() if value is not None}
    server.answer = lambda request: send_json(request, 200, tokens)
    error = failure(configuration)
    assert (error.step, cause in error.cause, mend in error.mend) == (linking_errors.TOKENS, True, True), error


@pytest.mark.parametrize(
    ("default", "expires_in", "life_s"),
    [
        (1800, None, 1800),
        (1800, 3600, 3600),
        (None, "3600", 3600),
        (None, 3600.0, 3600),
        (None, 2**63 - 1, 100 * 365 * 24 * 3600),
        (None, 1e300, 100 * 365 * 24 * 3600),
        (10**15, None, 100 * 365 * 24 * 3600),
    ],
)
def test_the_configured_life_counts_only_when_the_answer_says_none(
    default: int | None, expires_in: Any, life_s: int, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    answer = TOKENS | {"expires_in": expires_in}
    server.answer = lambda request: send_json(request, 200, {name: value for name, value in answer.items() if value is not None})
    assert AccountLinking(replace(configuration, default_life_s=default)).link(signed_in).life_s == life_s


def test_the_other_scheme_is_named_when_it_is_the_one_that_works(server: TokenServer, configuration: LinkingConfiguration) -> None:
    def only_in_the_body(request: Any) -> None:
        refused("invalid_grant" if request.form.get("client_secret") == SECRET else "invalid_client")(request)

    server.answer = only_in_the_body
    error = failure(configuration)
    assert error.cause == "the token endpoint refused the client with HTTP_BASIC, and knows it with REQUEST_BODY_CREDENTIALS"
    assert "accessTokenScheme" in error.mend
    assert [form["code"] == CODE for form in server.forms] == [True, False, False]


def test_the_secret_is_named_when_the_endpoint_looks_at_the_code_before_it(
    server: TokenServer, configuration: LinkingConfiguration
) -> None:
    server.answer = lambda request: refused("invalid_grant" if "client_secret" in request.form else "invalid_client")(request)
    error = failure(configuration)
    assert ("invalid_client" in error.cause, "clientSecret" in error.mend) == (True, True), error


def test_pkce_is_named_when_only_a_request_with_a_verifier_is_refused(server: TokenServer, configuration: LinkingConfiguration) -> None:
    server.answer = lambda request: refused("invalid_request" if "code_verifier" in request.form else "invalid_grant")(request)
    error = failure(configuration)
    assert "refuses PKCE's code_verifier" in error.cause
    assert "S256" in error.mend


@pytest.mark.parametrize("kind", ["silent", "dripping header", "dripping body"])
def test_the_token_endpoint_has_its_time_in_all_when_it_is_slow(
    kind: str, server: TokenServer, configuration: LinkingConfiguration
) -> None:
    def drip_body(request: Any) -> None:
        request.wfile.write(b'HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n{"access_token": "')
        while not server.released.wait(0.02):
            try:
                request.wfile.write(b"a")
            except OSError:
                return

    server.answer = {"silent": lambda _: server.released.wait(30), "dripping header": drip, "dripping body": drip_body}[kind]
    error = failure(configuration, limit_s=0.4)
    assert error.cause == "the token endpoint did not answer within Alexa's 4.5 s"
    assert "under 4.5 s" in error.mend


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("http://127.0.0.1:{port}/oauth2/token", "could not be reached: ConnectionRefusedError"),
        ("https://127.0.0.1:{plain}/oauth2/token", "TLS was refused"),
        ("http:///oauth2/token", "could not be reached"),
        ("http://127.0.0.1:{plain}/oauth2/to ken", "could not be reached: InvalidURL"),
    ],
)
def test_the_url_is_named_when_nothing_answers_there(url: str, cause: str, configuration: LinkingConfiguration) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        plain = urlsplit(configuration.access_token_url).port
        error = failure(replace(configuration, access_token_url=url.format(port=unused.getsockname()[1], plain=plain)))
    assert (error.step, cause in error.cause, "accessTokenUrl" in error.mend) == (linking_errors.EXCHANGE, True, True), error


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """For 127.0.0.1, signed by itself, with its key: in one file."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "loopback")])
    begins = datetime.now(UTC) - timedelta(hours=1)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, begins + timedelta(days=1))
    here = x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))])
    made = builder.add_extension(here, critical=False).sign(key, hashes.SHA256())
    path = tmp_path_factory.mktemp("tls") / "loopback.pem"
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(made.public_bytes(Encoding.PEM) + private)
    return path


@pytest.fixture
def tls_server(certificate: Path) -> Iterator[TokenServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    running = TokenServer(context)
    yield running
    running.close()


def test_the_token_endpoint_is_asked_over_tls(tls_server: TokenServer, certificate: Path, configuration: LinkingConfiguration) -> None:
    over_tls = replace(configuration, access_token_url=tls_server.url)
    assert AccountLinking(over_tls, tls=ssl.create_default_context(cafile=certificate)).link(signed_in).access_token == "Atza|access"


def test_the_certificate_is_named_when_it_is_not_trusted(tls_server: TokenServer, configuration: LinkingConfiguration) -> None:
    error = failure(replace(configuration, access_token_url=tls_server.url))
    assert (error.cause, tls_server.forms) == ("the token endpoint's TLS was refused: SSLCertVerificationError", [])
    assert "certificate" in error.mend


@pytest.mark.parametrize(
    ("status", "text", "mend"),
    [
        (
            400,
            "<h1>Error</h1><p>redirect_uri is not registered for client x</p>",
            "https://pitangui.amazon.com/api/skill/link/M12VENDOR, https",
        ),
        (400, "An error was encountered: redirect_mismatch", "Register all of Alexa's redirect URLs"),
        (400, "<p>Client abc not found</p>", "clientId"),
        (400, "The scope is not allowed", "scopes"),
        (400, "code_challenge is an unknown parameter", "S256"),
        (400, "unsupported response_type", "authorization-code grant"),
        (404, "<h1>Not Found</h1>", "authorizationUrl"),
        (502, "Bad gateway", "Try again later"),
        (200, "<body><div id=root></div><script src=app.js></script></body>", "JavaScript"),
        (200, "<form></form><a target='_blank'>Sign in</a>", "pop-ups"),
        (200, "<p>Welcome</p>", "redirects to redirect_uri"),
    ],
)
def test_the_setting_is_named_when_the_customer_sees_a_page_instead_of_the_redirect(
    status: int, text: str, mend: str, configuration: LinkingConfiguration
) -> None:
    def browse(url: str) -> str:
        raise SignInPageError(status, text)

    error = failure(configuration, browse)
    assert (error.step, mend in error.mend, f"HTTP {status}" in error.cause) == (linking_errors.SIGN_IN, True, True), error
    assert str(explain_page(status, text, configuration)) == str(error)
    assert "<" not in error.cause


@pytest.mark.parametrize(
    ("fault", "cause", "mend"),
    [(ConnectionRefusedError(), "could not be reached", "authorizationUrl"), (ssl.SSLCertVerificationError(), "TLS", "certificate")],
)
def test_the_cause_is_named_when_the_sign_in_page_cannot_be_opened(
    fault: OSError, cause: str, mend: str, configuration: LinkingConfiguration
) -> None:
    def browse(url: str) -> str:
        raise fault

    error = failure(configuration, browse)
    assert (cause in error.cause, mend in error.mend) == (True, True), error


class TestRefresh:
    OLD = Tokens("Atza|old", "Atzr|old", 3600)

    @pytest.mark.parametrize(("new", "kept"), [("Atzr|new", "Atzr|new"), (None, "Atzr|old")])
    def test_the_old_refresh_token_stays_in_use_when_no_new_one_comes(
        self, new: str | None, kept: str, server: TokenServer, configuration: LinkingConfiguration
    ) -> None:
        answer = {**TOKENS, "refresh_token": new} if new else {name: value for name, value in TOKENS.items() if name != "refresh_token"}
        server.answer = lambda request: send_json(request, 200, answer)
        assert AccountLinking(configuration).refresh(self.OLD) == Tokens("Atza|access", kept, 3600)
        assert server.forms == [{"grant_type": "refresh_token", "refresh_token": "Atzr|old", "client_id": "client"}]

    def test_the_link_is_lost_when_the_refresh_token_is_refused(self, server: TokenServer, configuration: LinkingConfiguration) -> None:
        server.answer = refused("invalid_grant", "Atzr|old has expired")
        with pytest.raises(RefreshRefusedError, match="refused the refresh token: HTTP 400, invalid_grant: … has expired") as caught:
            AccountLinking(configuration).refresh(self.OLD)
        assert caught.value.step == linking_errors.REFRESH

    def test_the_link_is_lost_when_there_is_no_refresh_token(self, server: TokenServer, configuration: LinkingConfiguration) -> None:
        with pytest.raises(RefreshRefusedError):
            AccountLinking(configuration).refresh(replace(self.OLD, refresh_token=None))
        assert server.forms == []

    @pytest.mark.parametrize(
        "answer",
        [
            refused("invalid_client", status=401),
            refused("temporarily_unavailable", status=503),
            lambda request: send(request, 200, b"<html>"),
            lambda request: send_json(request, 200, TOKENS | {"expires_in": 300}),
            hang_up,
        ],
    )
    def test_the_tokens_are_kept_when_it_may_pass_or_is_a_wrong_setting(
        self, answer: Answer, server: TokenServer, configuration: LinkingConfiguration
    ) -> None:
        server.answer = answer
        with pytest.raises(RefreshFailedError) as caught:
            AccountLinking(configuration).refresh(self.OLD)
        assert (caught.value.step, bool(caught.value.mend)) == (linking_errors.REFRESH, True)


DOCUMENT: dict[str, Any] = {
    "type": "AUTH_CODE",
    "authorizationUrl": "https://login.example.com/authorize",
    "accessTokenUrl": "https://login.example.com/token",
    "clientId": "client",
    "clientSecret": SECRET,
    "accessTokenScheme": "REQUEST_BODY_CREDENTIALS",
    "scopes": ["openid", "profile"],
    "domains": ["login.example.com"],
    "defaultTokenExpirationInSeconds": 3600,
}


class TestConfiguration:
    @pytest.mark.parametrize("document", [DOCUMENT, {"accountLinkingRequest": DOCUMENT}])
    def test_a_developers_own_file_is_read(self, document: dict[str, Any]) -> None:
        read = LinkingConfiguration.from_json(document, "M12VENDOR")
        assert (read.scopes, read.access_token_scheme, read.default_life_s) == (("openid", "profile"), "REQUEST_BODY_CREDENTIALS", 3600)
        assert read.redirect_urls["FE"] == "https://alexa.amazon.co.jp/api/skill/link/M12VENDOR"
        assert SECRET not in repr(read)

    def test_the_secret_may_be_given_beside_the_file_because_amazon_never_gives_it_back(self) -> None:
        without = {name: value for name, value in DOCUMENT.items() if name != "clientSecret"}
        assert LinkingConfiguration.from_json(without, "M12VENDOR", SECRET).client_secret == SECRET

    @pytest.mark.parametrize(
        ("change", "words"),
        [
            ({"clientSecret": None}, "clientSecret is missing"),
            ({"authorizationUrl": ""}, "authorizationUrl is missing"),
            ({"type": "IMPLICIT"}, "type is not AUTH_CODE"),
            ({"accessTokenScheme": "BASIC"}, "accessTokenScheme is not one of HTTP_BASIC, REQUEST_BODY_CREDENTIALS"),
            ({"defaultTokenExpirationInSeconds": "3600"}, "defaultTokenExpirationInSeconds is no number"),
            ({"scopes": "openid profile"}, "scopes is no list"),
        ],
    )
    def test_the_setting_is_named_when_the_file_is_wrong(self, change: dict[str, Any], words: str) -> None:
        with pytest.raises(AccountLinkingError, match=words) as caught:
            LinkingConfiguration.from_json(DOCUMENT | change, "M12VENDOR")
        assert caught.value.step == linking_errors.CONFIGURATION


def test_the_permissions_page_is_named_when_the_grant_was_not_accepted() -> None:
    error = accept_grant_failed("ACCEPT_GRANT_FAILED")
    assert (error.step, "Permissions page" in error.mend) == ("AcceptGrant", True)


def test_a_failure_is_told_with_its_cause_and_what_mends_it() -> None:
    messages: list[Message] = []
    tell(AccountLinkingError("no code", step="redirect", mend="Send one."), messages.append)
    assert [(message.verdict, message.reason, message.mend) for message in messages] == [("failed", "no code", "Send one.")]


def test_no_secret_shows_when_what_alexa_keeps_is_printed(configuration: LinkingConfiguration) -> None:
    pending: PendingLink = AccountLinking(configuration).begin()
    printed = repr([pending, configuration, Tokens("Atza|access", "Atzr|refresh", 3600)])
    assert [secret for secret in (SECRET, pending.verifier, pending.state, "Atza|access", "Atzr|refresh") if secret in printed] == []
