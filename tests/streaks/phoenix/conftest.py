import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import time_machine

from participants.models import Tenant
from tests.client import Api
from tests.factories import raw_key
from tests.streaks.phoenix.happening import happen

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
EXAMPLES = Path(__file__).parents[2] / "examples" / "phoenix"


@pytest.fixture(autouse=True)
def clock() -> Iterator[Any]:
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture
def admin(tenant: Tenant) -> Api:
    """The admin gateway."""
    return Api(raw_key(tenant, "admin"), base="/v1")


@pytest.fixture
def query(tenant: Tenant) -> Api:
    """The query gateway."""
    return Api(raw_key(tenant), base="/v1")


@pytest.fixture
def example() -> Callable[[str], Any]:
    """`example("create.json")` is the parsed example of the published documentation."""
    return lambda name: json.loads((EXAMPLES / name).read_text())


@pytest.fixture
def printed() -> Callable[[str], bytes]:
    """The same example as bytes."""
    return lambda name: (EXAMPLES / name).read_bytes()


@pytest.fixture
def happens(tenant: Tenant) -> Callable[..., None]:
    """`happens("user.login", points=5)` emits an event of ada at `at`, by default now."""

    def happened(
        name: str, *, user: str = "ada", times: int = 1, at: datetime | None = None, **properties: Any
    ) -> None:
        for _ in range(times):
            happen(tenant, user, name, properties, at=at)

    return happened
