"""AWS on this machine: ministack on a loopback port, with IAM enforced or not."""

import os
import secrets
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import urlsplit, urlunsplit

import boto3
import botocore.session
import requests
from botocore.config import Config

from tools.local_process import LocalProcess, LocalProcessError, start_on_free_ports
from tools.setup import BIN, TOOLS

REGION = "us-east-1"
ROOT = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}  # ministack's key for everything
PYTHON = TOOLS / "ministack" / BIN / "python"
KEPT = ("PATH", "SYSTEMROOT")  # of the developer's environment; the second one is what Python needs on Windows


class LocalAws:
    """Starts ministack, and stops it at the end of the `with` block; its state is in a temporary folder and goes with it."""

    url: str

    def __init__(self, *, enforce_iam: bool = True) -> None:
        self._enforce_iam = enforce_iam
        self._exit = ExitStack()
        self._clients: dict[tuple[str, str], Any] = {}

    def __enter__(self) -> Self:
        """Raises LocalProcessError."""
        if not PYTHON.exists():
            raise LocalProcessError("ministack is not installed: python3 tools/setup.py ministack")
        with ExitStack() as stack:
            self.folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="linked-profile-", ignore_cleanup_errors=True)))
            self._mark = secrets.token_hex(8)
            self._process, (port,) = start_on_free_ports("ministack", 1, self._start, self._is_ready)
            stack.callback(self._process.stop)
            stack.callback(self._close_clients)
            self.url = f"http://127.0.0.1:{port}"
            self._exit = stack.pop_all()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._exit.close()

    def client(self, service: str, credentials: Mapping[str, str] = ROOT) -> Any:
        """A boto3 client of this AWS; `credentials` under the names of the environment variables, as `role_credentials` gives them."""
        key = (service, credentials["AWS_ACCESS_KEY_ID"])
        if key not in self._clients:
            self._clients[key] = self._build_client(service, credentials)
        return self._clients[key]

    def role_credentials(self, role_arn: str) -> dict[str, str]:
        """What a function that runs with this role finds in its environment."""
        keys = self.client("sts").assume_role(RoleArn=role_arn, RoleSessionName="function")["Credentials"]
        return {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }

    def here(self, url: str) -> str:
        """The same path on this machine: Cognito's login page, for one."""
        return urlunsplit(urlsplit(self.url)[:2] + urlsplit(url)[2:])

    def _build_client(self, service: str, credentials: Mapping[str, str]) -> Any:
        session: Any = boto3.Session(  # its stubs know a client only by a literal name
            aws_access_key_id=credentials["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=credentials["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=credentials.get("AWS_SESSION_TOKEN"),
            region_name=REGION,
            botocore_session=_session_without_profiles(),
        )
        return session.client(service, endpoint_url=self.url, config=Config(proxies={}, retries={"total_max_attempts": 1}))

    def _close_clients(self) -> None:
        for client in self._clients.values():
            client.close()

    def _start(self, ports: list[int]) -> LocalProcess:
        settings = {
            "BIND_HOST": "127.0.0.1",
            "GATEWAY_PORT": str(ports[0]),
            "AUTH": "true" if self._enforce_iam else "false",
            "MINISTACK_REGION": REGION,
            "MINISTACK_VERSION": self._mark,
            "LOG_LEVEL": "WARNING",
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "STATE_DIR": str(self.folder / "state"),
            "S3_DATA_DIR": str(self.folder / "s3"),
            "SFTP_ENABLED": "0",
            "IOT_MTLS_ENABLED": "0",  # would listen on every interface
            "DOCKER_HOST": f"unix://{self.folder / 'no-docker'}",  # would remove another ministack's containers
        }
        inherited = {name: os.environ[name] for name in KEPT if name in os.environ}
        command = [PYTHON, "-m", "ministack"]
        return LocalProcess(command, environment=inherited | settings, folder=self.folder, log=self.folder / "ministack.log")

    def _is_ready(self, ports: list[int]) -> bool:
        """Whether this very ministack answers, and not a stranger that took the port."""
        try:
            with requests.Session() as session:
                session.trust_env = False
                health = session.get(f"http://127.0.0.1:{ports[0]}/_ministack/health", timeout=2).json()
        except (requests.RequestException, ValueError):
            return False
        return isinstance(health, dict) and health.get("version") == self._mark


def _session_without_profiles() -> botocore.session.Session:
    """So that no profile, endpoint or role of the developer's own AWS configuration is ever read."""
    nothing, absent = (None, None, os.devnull, None), (None, None, None, None)
    variables: Any = {"profile": absent, "config_file": nothing, "credentials_file": nothing}
    return botocore.session.Session(session_vars=variables)
