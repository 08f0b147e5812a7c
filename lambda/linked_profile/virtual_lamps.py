"""The example device's state: one lamp per account, in a DynamoDB table of its own (partition key AccountID)."""

from linked_profile.aws_calls import AwsCalls
from linked_profile.outbound import Deadline


class VirtualLamps:
    """A lamp that was never switched is off. Every method raises TableUnavailableError."""

    def __init__(self, table: str, aws: AwsCalls) -> None:
        self._table, self._aws = table, aws

    def is_on(self, account_id: str, deadline: Deadline) -> bool:
        """As it was last switched."""
        key = {"AccountID": {"S": account_id}}
        found = self._aws.call("dynamodb", "get_item", deadline, TableName=self._table, Key=key, ConsistentRead=True)
        return bool(found.get("Item", {}).get("IsOn", {}).get("BOOL", False))

    def switch(self, account_id: str, *, on: bool, deadline: Deadline) -> bool:
        """Whether that changed anything; the last one to switch it has it."""
        item = {"AccountID": {"S": account_id}, "IsOn": {"BOOL": on}}
        before = self._aws.call("dynamodb", "put_item", deadline, TableName=self._table, Item=item, ReturnValues="ALL_OLD")
        return bool(before.get("Attributes", {}).get("IsOn", {}).get("BOOL", False)) is not on
