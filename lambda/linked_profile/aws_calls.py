"""Calls to AWS inside an invocation's deadline. What goes wrong names the call and AWS's code, and nothing of what was sent."""

import functools
from collections.abc import Callable
from typing import Any

from linked_profile.errors import TableUnavailableError
from linked_profile.outbound import Deadline

LEAST_TIME_S = 1.0  # no call is begun with less of the deadline left
TIME_FOR_TWO_S = 4.0  # two attempts, and botocore's pause of up to 1 s between them

Client = Callable[[str, int], Any]  # a client of boto3 for a service, that makes so many attempts


class AwsRefusedError(TableUnavailableError):
    """AWS answered, and the answer is no; `code` is its word for it, `item` what stood against a conditional write."""

    def __init__(self, operation: str, code: str, item: dict[str, Any]) -> None:
        super().__init__(f"{operation}: {code}")
        self.code, self.item = code, item


@functools.cache
def aws_client(service: str, attempts: int) -> Any:
    """A client whose attempts last 1.5 s at most (botocore's own limits are minutes); credentials from the environment."""
    import boto3.session  # noqa: PLC0415  (voice never waits for it)
    from botocore.config import Config  # noqa: PLC0415

    limits = Config(connect_timeout=0.5, read_timeout=1, retries={"mode": "standard", "total_max_attempts": attempts})
    return boto3.session.Session().client(service, config=limits)  # type: ignore[call-overload]


class AwsCalls:
    """One way to any service: a second attempt only where there is time for it."""

    def __init__(self, client: Client = aws_client) -> None:
        self._client = client

    def call(self, service: str, operation: str, deadline: Deadline, **arguments: Any) -> dict[str, Any]:
        """Raises AwsRefusedError, or TableUnavailableError where there was no answer or no time to ask."""
        from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415

        refused: dict[str, Any] | None = None
        code = "no time left"
        try:
            if deadline.remaining() >= LEAST_TIME_S:
                client = self._client(service, 2 if deadline.remaining() > TIME_FOR_TWO_S else 1)
                # Once more: the first client brings boto3's import along, most of a second in a small function.
                if deadline.remaining() >= LEAST_TIME_S:
                    answer: dict[str, Any] = getattr(client, operation)(**arguments)
                    return answer
        except ClientError as error:
            response: Any = error.response
            code, refused = response["Error"]["Code"], response.get("Item", {})
        except BotoCoreError as error:
            code = type(error).__name__
        # Raised out here, so that nothing of the library's own error hangs on to it: those quote keys and values.
        if refused is not None:
            raise AwsRefusedError(operation, code, refused)
        raise TableUnavailableError(f"{operation}: {code}")
