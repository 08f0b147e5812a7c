"""The customers' grants to send events to Alexa: taken in by AcceptGrant, refreshed in time, kept encrypted.

Each home and each enabling of the skill has a grant of its own, so none silences another, and one that is over is marked dead alone. Two
functions may want to refresh one grant at the same moment. A claim, written under a condition, lets one of them ask Amazon, and the other
one reads again; the tokens that come are stored only over those that they came from, so a dead token never replaces a live one.
"""

import contextlib
import secrets
import time
from collections.abc import Callable

from linked_profile.access_tokens import digest
from linked_profile.aws_calls import AwsCalls, Client, aws_client
from linked_profile.errors import GrantRefusedError, ProviderMisconfiguredError, ProviderUnavailableError, TableUnavailableError
from linked_profile.grants_table import CLAIM_MS, Grant, GrantsTable
from linked_profile.outbound import Deadline, Outbound
from linked_profile.sealed_tokens import TokenSeal
from linked_profile.settings import Settings
from linked_profile.skill_messaging import SkillMessaging, Tokens

REFRESH_EARLY_MS = 5 * 60 * 1000
MOST_REFRESH_S = 12.0  # well within a claim
TIME_TO_STORE_S = 3.0  # of an exchange's deadline: a code is good once, so its tokens must still reach the table
POLL_S, POLLS, LEAST_TIME_TO_POLL_S = 0.4, 4, 2.0


class Grants:
    """What becomes of a grant, from its code to its end. Every method raises TableUnavailableError."""

    def __init__(
        self,
        region: str,
        table: GrantsTable,
        seal: TokenSeal,
        messaging: SkillMessaging,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._region, self._table, self._seal, self._messaging, self._pause = region, table, seal, messaging, pause

    def accept(self, account_id: str, code: str, deadline: Deadline) -> None:
        """The code's grant stands, also where this is its second delivery.

        Raises GrantRefusedError, ProviderUnavailableError or ProviderMisconfiguredError besides.
        """
        grant_id = f"{self._region}#{digest(code)[:32]}"
        if isinstance(self._table.get(account_id, grant_id, deadline), Grant):
            return
        try:
            tokens = self._messaging.exchange(code, deadline.earlier_by(TIME_TO_STORE_S))
        except GrantRefusedError:
            if self._was_accepted(account_id, grant_id, deadline):
                return
            raise
        self._table.insert(self._sealed(account_id, grant_id, tokens, b"", deadline), deadline)

    def live(self, account_id: str, deadline: Deadline) -> list[Grant]:
        """The account's grants that may be sent to, at this region's gateway: at another one they are worth nothing."""
        return [grant for grant in self._table.query(account_id, deadline) if grant.grant_id.startswith(f"{self._region}#")]

    def fresh(self, grant: Grant, deadline: Deadline, *, refused_version: str = "") -> Grant:
        """The grant with an access token that is good for a while yet, and not of the version that Alexa refused.

        Raises GrantRefusedError where the grant is over, ProviderUnavailableError or ProviderMisconfiguredError.
        """
        while True:
            now_ms = self._table.now_ms()
            left_ms = 0 if grant.version == refused_version else grant.expires_ms - now_ms
            if left_ms > REFRESH_EARLY_MS:
                return grant
            if grant.claimed_until_ms < now_ms:
                refreshed = self._claim_and_refresh(grant, deadline, is_good=left_ms > CLAIM_MS)
                if refreshed:
                    return refreshed
            elif left_ms > CLAIM_MS:
                return grant  # somebody is refreshing it, and this token is good until he is done
            else:
                self._pause(POLL_S)
            grant = self._read_again(grant, deadline)

    def access_token(self, grant: Grant, deadline: Deadline) -> str:
        """The grant's access token, in clear."""
        return self._seal.open(grant.account_id, grant.access, deadline)

    def bury(self, grant: Grant, reason: str, deadline: Deadline) -> None:
        """Marks this grant dead, whichever tokens it has by now."""
        self._table.bury(grant, reason, deadline)

    def _claim_and_refresh(self, grant: Grant, deadline: Deadline, *, is_good: bool) -> Grant | None:
        """The grant with new tokens; None where somebody else has them or is at it.

        The grant as it was, if that `is_good` for now, where Amazon cannot be asked.
        """
        claimed = self._table.claim(grant, deadline)
        if claimed is None:
            return None
        try:
            return self._refresh(claimed, deadline)
        except GrantRefusedError:
            raise
        except (ProviderUnavailableError, ProviderMisconfiguredError, TableUnavailableError):
            with contextlib.suppress(TableUnavailableError):  # then the claim runs out by itself
                self._table.release(claimed, deadline)
            if is_good:
                return grant
            raise

    def _refresh(self, grant: Grant, deadline: Deadline) -> Grant | None:
        bounded = deadline.earlier_by(max(TIME_TO_STORE_S, deadline.remaining() - MOST_REFRESH_S))
        try:
            tokens = self._messaging.refresh(self._seal.open(grant.account_id, grant.refresh, bounded), bounded)
        except GrantRefusedError as error:
            if self._table.bury(grant, error.reason, deadline):
                raise
            return None  # our claim had run out, and these tokens are not the grant's any more
        newer = self._sealed(grant.account_id, grant.grant_id, tokens, grant.refresh, deadline)
        return newer if self._table.replace_tokens(grant, newer, deadline) else None

    def _sealed(self, account_id: str, grant_id: str, tokens: Tokens, old_refresh: bytes, deadline: Deadline) -> Grant:
        """The tokens as they are stored; a refresh token that was not given anew stays the one before."""
        expires_ms = self._table.now_ms() + tokens.lives_s * 1000
        access = self._seal.seal(account_id, tokens.access_token, deadline)
        refresh = self._seal.seal(account_id, tokens.refresh_token, deadline) if tokens.refresh_token else old_refresh
        return Grant(account_id, grant_id, secrets.token_hex(8), access, refresh, expires_ms)

    def _read_again(self, grant: Grant, deadline: Deadline) -> Grant:
        found = self._table.get(grant.account_id, grant.grant_id, deadline)
        if isinstance(found, Grant):
            return found
        raise GrantRefusedError(found)

    def _was_accepted(self, account_id: str, grant_id: str, deadline: Deadline) -> bool:
        """Whether another delivery of this code has stored, or is just about to store, what it got for it."""
        for _ in range(POLLS):
            if isinstance(self._table.get(account_id, grant_id, deadline), Grant):
                return True
            if deadline.remaining() < LEAST_TIME_TO_POLL_S:
                return False
            self._pause(POLL_S)
        return False


def build_grants(
    settings: Settings, outbound: Outbound, clock: Callable[[], float] = time.time, client: Client = aws_client
) -> Grants | None:
    """None where the settings name no table: the skill then sends no events."""
    if not settings.grants_table:
        return None
    aws = AwsCalls(client)
    messaging = SkillMessaging(settings.lwa_api_url, settings.skill_messaging_secret_arn, aws, outbound, clock)
    table = GrantsTable(settings.grants_table, aws, clock)
    return Grants(settings.alexa_region, table, TokenSeal(settings.grants_key_id, aws), messaging)
