"""KMS and Secrets Manager in memory, as far as the skill asks them; tests/test_grants.py holds them against moto."""

import json
import secrets
from typing import Any

from botocore.exceptions import ClientError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tests.in_memory_table import InMemoryTable


def refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "CanaryMessage"}}, operation)


class FakeKms:
    """Real ciphertexts, bound to their encryption context."""

    def __init__(self) -> None:
        self._key = AESGCM(AESGCM.generate_key(128))
        self.calls: list[str] = []
        self.fault: Exception | None = None

    def encrypt(self, **call: Any) -> dict[str, Any]:
        self._count("encrypt")
        assert len(call["Plaintext"]) <= 4096
        nonce = secrets.token_bytes(12)
        context = json.dumps(call["EncryptionContext"]).encode()
        return {"CiphertextBlob": nonce + self._key.encrypt(nonce, call["Plaintext"], context), "KeyId": call["KeyId"]}

    def decrypt(self, **call: Any) -> dict[str, Any]:
        self._count("decrypt")
        blob, context = call["CiphertextBlob"], json.dumps(call["EncryptionContext"]).encode()
        try:
            return {"Plaintext": self._key.decrypt(blob[:12], blob[12:], context), "KeyId": call["KeyId"]}
        except InvalidTag:
            raise refusal("InvalidCiphertextException", "Decrypt") from None

    def _count(self, operation: str) -> None:
        self.calls.append(operation)
        if self.fault:
            raise self.fault


class FakeSecrets:
    """The versions of one secret by their stage."""

    def __init__(self, **versions: str) -> None:
        self.versions = versions
        self.calls: list[str] = []
        self.fault: Exception | None = None

    def get_secret_value(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call["VersionStage"])
        if self.fault:
            raise self.fault
        if call["VersionStage"] not in self.versions:
            raise refusal("ResourceNotFoundException", "GetSecretValue")
        return {"SecretString": self.versions[call["VersionStage"]]}


class FakeAws:
    """One account's services; call it for a client."""

    def __init__(self, table: Any = None) -> None:
        self.table = table or InMemoryTable(key=("AccountID", "GrantID"))
        self.kms, self.secrets = FakeKms(), FakeSecrets()
        self.attempts: list[int] = []

    def __call__(self, service: str, attempts: int) -> Any:
        self.attempts.append(attempts)
        return {"dynamodb": self.table, "kms": self.kms, "secretsmanager": self.secrets}[service]
