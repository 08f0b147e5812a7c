"""The skill at an HTTPS address, as a container runs it: gunicorn on a loopback port, invoked with requests signed as Alexa signs them."""

import importlib.util
import json
import sys
import tempfile
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit

import requests

from tools.local_process import LocalProcess, LocalProcessError, start_on_free_ports
from tools.local_stack import CODE, LocalStack
from tools.simulator.loopback_server import LoopbackHttpServer
from tools.simulator.request_signing import CERTIFICATE_URL, SigningAuthority
from tools.simulator.skill import SkillFailedError, parse_answer

ALEXA_WAITS_S = 8.0
HEALTH_PATH = "/health"


class HttpsSkill:
    """Runs from the start to the end of the `with` block; takes requests from any number of threads.

    Nothing but this server's own environment trusts the certificates. Its clock is this machine's: it refuses requests of an Alexa
    whose clock was moved on, as Amazon demands.
    """

    def __init__(self, stack: LocalStack, *, workers: int = 1, threads: int = 4) -> None:
        self._stack, self._workers, self._threads = stack, workers, threads
        self.authority = SigningAuthority()
        self._exit = ExitStack()

    def __enter__(self) -> Self:
        """Raises LocalProcessError."""
        if importlib.util.find_spec("gunicorn") is None:
            raise LocalProcessError("gunicorn is not installed (it does not run on Windows): python3 tools/setup.py dev")
        with ExitStack() as stack:
            self._folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linked-profile-", ignore_cleanup_errors=True)))
            (self._folder / "roots.pem").write_bytes(self.authority.roots)
            self.certificate_host = stack.enter_context(CertificateHost(self.authority.certificates))
            self._process, ports = start_on_free_ports("gunicorn", 1, self._start, lambda ports: is_healthy(ports[0]))
            stack.callback(self._process.stop)
            self.url = f"http://127.0.0.1:{ports[0]}/"
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def invoke(self, event: dict[str, Any]) -> Any:
        """The skill's answer. Raises SkillFailedError."""
        body = json.dumps(event).encode()
        status, content = self._post(body, self.authority.headers(body))
        if status != 200:
            raise SkillFailedError(
                f"HTTP {status}", "the skill refused the request" if status < 500 else "the skill failed; its log says why"
            )
        return parse_answer(content)

    def post(self, body: bytes, headers: dict[str, str]) -> tuple[int, str]:
        """The status and the text of the answer to exactly this. Raises SkillFailedError when there is none."""
        status, content = self._post(body, headers)
        return status, content.decode(errors="replace")

    def _post(self, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
        try:
            with requests.Session() as session:
                session.trust_env = False
                answer = session.post(self.url, data=body, headers=headers, timeout=ALEXA_WAITS_S, allow_redirects=False)
                return answer.status_code, answer.content
        except requests.RequestException as error:
            raise SkillFailedError(type(error).__name__, "the skill's HTTPS endpoint gave no answer") from error

    def log_text(self) -> str:
        """All that the skill and gunicorn have logged."""
        return self._process.log_text()

    def _start(self, ports: list[int]) -> LocalProcess:
        believes = {"ALEXA_TRUSTED_ROOTS": str(self._folder / "roots.pem"), "ALEXA_CERTIFICATE_HOST_URL": self.certificate_host.url}
        options = ["--bind", f"127.0.0.1:{ports[0]}", "--workers", self._workers, "--threads", self._threads, "--no-control-socket"]
        return LocalProcess(
            [sys.executable, "-m", "gunicorn", *options, "--chdir", CODE, "--worker-tmp-dir", self._folder, "wsgi:application"],
            environment={**self._stack.environment, **believes, "HOME": str(self._folder), "PYTHONPATH": str(CODE)},
            folder=self._folder,
            log=self._folder / "gunicorn.log",
        )


class CertificateHost(LoopbackHttpServer):
    """Stands for s3.amazonaws.com; counts how often it was asked for the certificates."""

    def __init__(self, certificates: bytes) -> None:
        self.certificates, self.downloads = certificates, 0
        super().__init__(("127.0.0.1", 0), CertificateRequest)


class CertificateRequest(BaseHTTPRequestHandler):
    """Gives the certificates at their path, and nothing anywhere else."""

    server: CertificateHost

    def do_GET(self) -> None:
        found = self.path == urlsplit(CERTIFICATE_URL).path
        self.server.downloads += found
        self.send_response(200 if found else 403)
        self.end_headers()
        self.wfile.write(self.server.certificates if found else b"<Error><Code>AccessDenied</Code></Error>")

    def log_message(self, *arguments: object) -> None: ...


def is_healthy(port: int) -> bool:
    """Whether the skill is up behind this port."""
    try:
        with requests.Session() as session:
            session.trust_env = False
            return session.get(f"http://127.0.0.1:{port}{HEALTH_PATH}", timeout=1).status_code == 200
    except requests.RequestException:
        return False
