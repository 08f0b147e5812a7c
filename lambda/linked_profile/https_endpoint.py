"""The skill at an HTTPS address: what is proven to be Alexa's goes to the same handler that Lambda calls, all else is refused.

No framework: an HTTP request comes in as a value, an answer goes out as one. Alexa brings an event again after any answer but 200.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

from linked_profile.bootstrap import Handler
from linked_profile.certificate_download import CertificateDownload
from linked_profile.errors import CertificatesUnavailableError, RefusedRequestError, SignatureRefusedError
from linked_profile.logs import OutcomeLog
from linked_profile.request_signature import Headers, RequestVerifier
from linked_profile.settings import Settings

HEALTH_PATH = "/health"
LARGEST_BODY = 256 * 1024  # bytes; Alexa's requests stay below 30 kB
PLAIN: Mapping[str, str] = {"Content-Type": "text/plain"}
KIND = "HttpsRequest"  # what the log says of a request that was not believed, so that nothing in it was read


@dataclass(frozen=True)
class HttpsRequest:
    """As it came, the body byte for byte; a body over the limit need not be read further than one byte beyond it."""

    method: str
    path: str
    headers: Headers
    body: bytes


@dataclass(frozen=True)
class HttpsAnswer:
    """An answer other than 200 says nothing but its status: whoever is not Alexa learns no more, and Alexa reads no more."""

    status: HTTPStatus
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=lambda: PLAIN)


class HttpsEndpoint:
    """Takes requests from any number of threads."""

    def __init__(self, handler: Handler, verifier: RequestVerifier, log: OutcomeLog) -> None:
        self._handler, self._verifier, self._log = handler, verifier, log

    def answer(self, request: HttpsRequest, context: object) -> HttpsAnswer:
        """Never raises. `context` is the handler's: Lambda's, or one that says as much about the time left."""
        try:
            return self._answer(request, context)
        except SignatureRefusedError as error:
            return self._refused(HTTPStatus.BAD_REQUEST, "signature_refused", error.reason)
        except CertificatesUnavailableError as error:
            return self._refused(HTTPStatus.INTERNAL_SERVER_ERROR, "certificates_unavailable", error.reason)
        except Exception as error:  # noqa: BLE001  (a fault of ours before the handler was called)
            return self._refused(HTTPStatus.INTERNAL_SERVER_ERROR, "unexpected_error", type(error).__name__)

    def _answer(self, request: HttpsRequest, context: object) -> HttpsAnswer:
        """Raises what the verifier raises."""
        if request.path == HEALTH_PATH and request.method in {"GET", "HEAD"}:
            return HttpsAnswer(HTTPStatus.OK, b"" if request.method == "HEAD" else b"ok")
        if request.method != "POST":
            return HttpsAnswer(HTTPStatus.METHOD_NOT_ALLOWED, headers={**PLAIN, "Allow": "POST"})
        if len(request.body) > LARGEST_BODY:
            return self._refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "signature_refused", "BODY_TOO_LARGE")
        return self._handled(self._verifier.verify(request.headers, request.body), context)

    def _handled(self, event: object, context: object) -> HttpsAnswer:
        """The handler's own log line says what went wrong; here it becomes a status."""
        try:
            answer = json.dumps(self._handler(event, context)).encode()
        except RefusedRequestError:
            return HttpsAnswer(HTTPStatus.BAD_REQUEST)
        except Exception:  # noqa: BLE001  (the handler raises to have an event brought again)
            return HttpsAnswer(HTTPStatus.INTERNAL_SERVER_ERROR)
        return HttpsAnswer(HTTPStatus.OK, answer, {"Content-Type": "application/json;charset=UTF-8"})

    def _refused(self, status: HTTPStatus, outcome: str, reason: str) -> HttpsAnswer:
        self._log.record(KIND, outcome, reason=reason)
        return HttpsAnswer(status)


def build_https_endpoint(settings: Settings, handler: Handler, clock: Callable[[], float] = time.time) -> HttpsEndpoint:
    """In front of the handler that `build_handler` has made of the same settings. Raises OSError when the file of roots cannot be read."""
    roots = Path(settings.alexa_trusted_roots).read_bytes() if settings.alexa_trusted_roots else None
    download = CertificateDownload(host_url=settings.alexa_certificate_host_url)
    return HttpsEndpoint(handler, RequestVerifier(download, roots, clock), OutcomeLog(settings.skill_id))
