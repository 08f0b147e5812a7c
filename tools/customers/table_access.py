"""Which table, in which region, as whom: from options, the environment or a CloudFormation stack."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import TYPE_CHECKING, Any

from linked_profile.account_mappings import Table
from tools.customers.answers import fold_items, is_user_id
from tools.customers.errors import WrongUseError
from tools.customers.raw_table import read_partition

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from linked_profile.fold import Link

MOST_THREADS = 64
WRONG_CLOCK_S = 60  # two clocks are among what the 5 minutes beyond Alexa's hour are for


@dataclass(frozen=True)
class Connection:
    """As the operator gave it; what is empty is looked up."""

    table: str = ""
    skill_id: str = ""
    stack: str = ""
    region: str | None = None
    profile: str | None = None


Connect = Callable[[Connection, str, int], Any]


def connect(connection: Connection, service: str, attempts: int) -> Any:
    """A boto3 client; credentials, region and AWS_ENDPOINT_URL as boto3 finds them. Raises WrongUseError."""
    import boto3.session  # noqa: PLC0415  (--help does not wait for it)
    from botocore.config import Config  # noqa: PLC0415

    limits = Config(
        connect_timeout=5,
        read_timeout=20,
        retries={"mode": "standard", "total_max_attempts": attempts},
        max_pool_connections=MOST_THREADS,
        parameter_validation=False,  # a quarter of a call's time; what we send is checked by mypy
    )
    session: Any = boto3.session.Session(profile_name=connection.profile, region_name=connection.region)
    try:
        return session.client(service, config=limits)
    except ValueError as error:  # botocore's, for an AWS_ENDPOINT_URL that is no URL
        raise WrongUseError(str(error)) from error


class TableAccess:
    """The table of one skill. Raises WrongUseError where it is not clear which."""

    def __init__(self, connection: Connection, connect: Connect, clock: Callable[[], float], retention_days: int = 0) -> None:
        self._connection, self._connect, self.clock = connection, connect, clock
        table, skill_id = connection.table, connection.skill_id
        self._outputs: dict[str, str] = {}
        if connection.stack:
            table, skill_id = self._read_stack(connection.stack)
        if not table:
            raise WrongUseError("no table: use --table NAME, ACCOUNT_MAPPINGS_TABLE or --stack NAME")
        self.table = Table(table, skill_id, retention_days)

    @property
    def table_with_skill_id(self) -> Table:
        """For what touches erasures. Without the right skill id their notes would not be found."""
        if not self.table.skill_id:
            raise WrongUseError("no skill id: use --skill-id ID, SKILL_ID or --stack NAME; erased accounts are noted under a digest of it")
        return self.table

    def account_tables(self, grants_table: str, lamps_table: str) -> list[str]:
        """Those beside the record that hold an account's items: as given, else as the stack names them; most skills have none."""
        named = (grants_table or self._outputs.get("AlexaGrantsTable"), lamps_table or self._outputs.get("VirtualLampsTable"))
        return [name for name in named if name]

    @cached_property
    def client(self) -> "DynamoDBClient":
        """Tries up to eight times, with back-off."""
        client: DynamoDBClient = self._connect(self._connection, "dynamodb", 8)
        return client

    @cached_property
    def client_without_retries(self) -> "DynamoDBClient":
        """For work in parallel, which slows down as a whole when DynamoDB throttles."""
        client: DynamoDBClient = self._connect(self._connection, "dynamodb", 1)
        return client

    @property
    def place(self) -> str:
        """The table and where it is."""
        return f"{self.table.name} at {getattr(getattr(self.client, 'meta', None), 'endpoint_url', 'hand')}"

    def caller_arn(self) -> str:
        """Who the operator is to AWS."""
        return str(self._connect(self._connection, "sts", 3).get_caller_identity()["Arn"])

    def history(self, amazon_user_id: str) -> "list[Link]":
        """The folded rows of a user id; none of a text that cannot be one."""
        if not is_user_id(amazon_user_id):
            return []
        return fold_items(read_partition(self.client, self.table.name, amazon_user_id), self.clock())

    def check_clock(self, answer: Any) -> None:
        """Refuses to go on where this machine's clock is wrong by AWS's: an erasure covers what started until now."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        theirs = parsedate_to_datetime(date) if date else None
        if theirs and abs((datetime.fromtimestamp(self.clock(), UTC) - theirs).total_seconds()) > WRONG_CLOCK_S:
            raise WrongUseError(f"this machine's clock differs from AWS's ({date}) by more than {WRONG_CLOCK_S} seconds: set it first")

    def _read_stack(self, name: str) -> tuple[str, str]:
        stack = self._connect(self._connection, "cloudformation", 3).describe_stacks(StackName=name)["Stacks"][0]
        self._outputs = {output["OutputKey"]: output["OutputValue"] for output in stack.get("Outputs", [])}
        parameters = {parameter["ParameterKey"]: parameter["ParameterValue"] for parameter in stack.get("Parameters", [])}
        return self._outputs.get("AccountMappingsTable", self._connection.table), parameters.get("SkillId", self._connection.skill_id)
