"""The cases that the in-memory table is checked by, against ministack: what the proof stands on is what DynamoDB does."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.test_in_memory_table import *  # noqa: F403  (the cases; `table` below takes the place of their fixture)
from tests.test_in_memory_table import TABLE, create_table
from tools.local_aws import LocalAws


@pytest.fixture
def table(aws: LocalAws) -> Iterator[Any]:
    client = aws.client("dynamodb")
    create_table(client)
    yield client
    client.delete_table(TableName=TABLE)
