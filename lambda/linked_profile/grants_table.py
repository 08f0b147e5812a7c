"""The grants as they are stored: one item per (account, region, code), every write under a condition."""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from linked_profile.aws_calls import AwsCalls, AwsRefusedError
from linked_profile.outbound import Deadline

LIVE, DEAD, REFUSED = "LIVE", "DEAD", "INVALID_GRANT"
CLAIM_MS = 20_000  # longer than a refresh is allowed to take, so that a claim outlives only those who died
DEAD_FOR_S = 30 * 86_400  # then DynamoDB's time-to-live takes the item away

Item = dict[str, Any]


@dataclass(frozen=True)
class Grant:
    """A live grant; its tokens are sealed."""

    account_id: str
    grant_id: str
    version: str  # of the tokens: every stored pair has a new one
    access: bytes = field(repr=False)
    refresh: bytes = field(repr=False)
    expires_ms: int
    claim: str = ""
    claimed_until_ms: int = 0  # until then somebody is refreshing it


class GrantsTable:
    """The table of grants, by what is written. Every method raises TableUnavailableError."""

    def __init__(self, name: str, aws: AwsCalls, clock: Callable[[], float]) -> None:
        self._name, self._aws, self._clock = name, aws, clock

    def now_ms(self) -> int:
        return int(self._clock() * 1000)

    def query(self, account_id: str, deadline: Deadline) -> list[Grant]:
        """The account's live grants: consistent, all pages."""
        query: Item = {
            "TableName": self._name,
            "KeyConditionExpression": "AccountID = :a",
            "ExpressionAttributeValues": {":a": {"S": account_id}},
            "ConsistentRead": True,
        }
        items = []
        while True:
            page = self._aws.call("dynamodb", "query", deadline, **query)
            items += page["Items"]
            if "LastEvaluatedKey" not in page:
                return [to_grant(item) for item in items if item["Status"]["S"] == LIVE]
            query["ExclusiveStartKey"] = page["LastEvaluatedKey"]

    def get(self, account_id: str, grant_id: str, deadline: Deadline) -> Grant | str:
        """The grant, or why there is none: GONE, or what it died of."""
        key = key_of(account_id, grant_id)
        item = self._aws.call("dynamodb", "get_item", deadline, TableName=self._name, Key=key, ConsistentRead=True).get("Item")
        if item and item["Status"]["S"] == LIVE:
            return to_grant(item)
        return str(item["Reason"]["S"]) if item and "Reason" in item else "GONE"

    def insert(self, grant: Grant, deadline: Deadline) -> None:
        """There already = our own first attempt whose answer was lost, or the other delivery of the same code: it stands."""
        item = {
            **key_of(grant.account_id, grant.grant_id),
            "Status": {"S": LIVE},
            "TokensVersion": {"S": grant.version},
            "AccessToken": {"B": grant.access},
            "RefreshToken": {"B": grant.refresh},
            "ExpiresMs": number(grant.expires_ms),
            "GrantedMs": number(self.now_ms()),
        }
        condition = "attribute_not_exists(GrantID) OR #s <> :live"
        self._write("put_item", condition, {}, deadline, Item=item)

    def claim(self, grant: Grant, deadline: Deadline) -> Grant | None:
        """The grant, ours to refresh; None where somebody else was quicker."""
        now_ms = self.now_ms()
        ours = replace(grant, claim=secrets.token_hex(8), claimed_until_ms=now_ms + CLAIM_MS)
        refused = self._update(
            grant,
            "SET Claim = :c, ClaimedUntilMs = :u",
            "#s = :live AND TokensVersion = :v AND (attribute_not_exists(ClaimedUntilMs) OR ClaimedUntilMs < :n)",
            {":c": {"S": ours.claim}, ":u": number(ours.claimed_until_ms), ":n": number(now_ms), ":v": {"S": grant.version}},
            deadline,
        )
        return ours if refused is None or refused.get("Claim") == {"S": ours.claim} else None

    def release(self, grant: Grant, deadline: Deadline) -> None:
        """Ends our claim, so that the next one may try at once."""
        self._update(grant, "REMOVE Claim, ClaimedUntilMs", "#s = :live AND Claim = :c", {":c": {"S": grant.claim}}, deadline)

    def replace_tokens(self, old: Grant, new: Grant, deadline: Deadline) -> bool:
        """Stores new tokens over those that they came from and no others; False where there are newer ones.

        Those may have been found dead meanwhile, by somebody who asked Amazon after us: the new ones are the proof that the grant lives.
        """
        refused = self._update(
            old,
            "SET AccessToken = :a, RefreshToken = :r, ExpiresMs = :e, TokensVersion = :w, #s = :live "
            "REMOVE Claim, ClaimedUntilMs, Reason, ExpiresAt",
            "TokensVersion = :v AND (#s = :live OR Reason = :g)",
            {
                ":a": {"B": new.access},
                ":r": {"B": new.refresh},
                ":e": number(new.expires_ms),
                ":w": {"S": new.version},
                ":v": {"S": old.version},
                ":g": {"S": REFUSED},
            },
            deadline,
        )
        return refused is None or refused.get("TokensVersion") == {"S": new.version}

    def bury(self, grant: Grant, reason: str, deadline: Deadline) -> bool:
        """Takes the tokens out and marks the grant dead; False where somebody was quicker.

        Refused tokens bury only themselves: the claim of whoever asked may have run out, and newer tokens stand by now. What Alexa says
        of the grant holds for any tokens, also for those of a refresh that is still under way.
        """
        is_refused = reason == REFUSED
        values = {":dead": {"S": DEAD}, ":r": {"S": reason}, ":x": number(self.now_ms() // 1000 + DEAD_FOR_S)}
        refused = self._update(
            grant,
            "SET #s = :dead, Reason = :r, ExpiresAt = :x REMOVE AccessToken, RefreshToken, Claim, ClaimedUntilMs",
            "#s = :live AND TokensVersion = :v" if is_refused else "#s = :live OR Reason = :v",
            {**values, ":v": {"S": grant.version if is_refused else REFUSED}},
            deadline,
        )
        return refused is None

    def _update(self, grant: Grant, update: str, condition: str, values: Item, deadline: Deadline) -> Item | None:
        key = key_of(grant.account_id, grant.grant_id)
        return self._write("update_item", condition, values, deadline, Key=key, UpdateExpression=update)

    def _write(self, operation: str, condition: str, values: Item, deadline: Deadline, **arguments: Any) -> Item | None:
        """None when it was done, else the item that stood against it (empty where there is none)."""
        conditional = {
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#s": "Status"},
            "ExpressionAttributeValues": {":live": {"S": LIVE}, **values},
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            self._aws.call("dynamodb", operation, deadline, TableName=self._name, **arguments, **conditional)
        except AwsRefusedError as error:
            if error.code != "ConditionalCheckFailedException":
                raise
            return error.item
        return None


def key_of(account_id: str, grant_id: str) -> Item:
    """The primary key."""
    return {"AccountID": {"S": account_id}, "GrantID": {"S": grant_id}}


def to_grant(item: Item) -> Grant:
    """What is stored, as it was meant."""
    return Grant(
        account_id=item["AccountID"]["S"],
        grant_id=item["GrantID"]["S"],
        version=item["TokensVersion"]["S"],
        access=bytes(item["AccessToken"]["B"]),
        refresh=bytes(item["RefreshToken"]["B"]),
        expires_ms=int(item["ExpiresMs"]["N"]),
        claim=item.get("Claim", {}).get("S", ""),
        claimed_until_ms=int(item.get("ClaimedUntilMs", number(0))["N"]),
    )


def number(value: int) -> dict[str, str]:
    """As DynamoDB takes it."""
    return {"N": str(value)}
