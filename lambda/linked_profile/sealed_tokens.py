"""Tokens under a KMS key: what the grants' table holds is worth nothing without it, nor under another customer's account."""

from linked_profile.aws_calls import AwsCalls
from linked_profile.errors import ProviderMisconfiguredError
from linked_profile.outbound import Deadline

LARGEST_TOKEN = 4096  # bytes, what KMS encrypts in one call; Login with Amazon's tokens have 2,048 at most
MOST_KEPT = 2000  # tokens in clear in a container, so that a warm one asks KMS for none


class TokenSeal:
    """Seals and opens tokens; KMS refuses to open one under another account than it was sealed for."""

    def __init__(self, key_id: str, aws: AwsCalls) -> None:
        self._key_id, self._aws = key_id, aws
        self._opened: dict[tuple[str, bytes], str] = {}

    def seal(self, account_id: str, token: str, deadline: Deadline) -> bytes:
        """The ciphertext. Raises TableUnavailableError, or ProviderMisconfiguredError for a token that is no token."""
        plaintext = token.encode()
        if len(plaintext) > LARGEST_TOKEN:
            raise ProviderMisconfiguredError("TOKEN_TOO_LARGE")
        context = {"AccountID": account_id}
        answer = self._aws.call("kms", "encrypt", deadline, KeyId=self._key_id, Plaintext=plaintext, EncryptionContext=context)
        return self._keep(account_id, bytes(answer["CiphertextBlob"]), token)

    def open(self, account_id: str, sealed: bytes, deadline: Deadline) -> str:
        """The token. Raises TableUnavailableError."""
        token = self._opened.get((account_id, sealed))  # looked at once: another thread may empty it
        if token is None:
            context = {"AccountID": account_id}
            answer = self._aws.call("kms", "decrypt", deadline, KeyId=self._key_id, CiphertextBlob=sealed, EncryptionContext=context)
            token = str(answer["Plaintext"].decode())
            self._keep(account_id, sealed, token)
        return token

    def _keep(self, account_id: str, sealed: bytes, token: str) -> bytes:
        if len(self._opened) >= MOST_KEPT:
            self._opened = {}
        self._opened[account_id, sealed] = token
        return sealed
