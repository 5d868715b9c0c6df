import random
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.trials.installation import Installation, Template, installation, migrated_template
from tests.trials.reporting import FIGURES, SEED

Installed = Callable[..., AbstractContextManager[Installation]]


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Template]:
    with migrated_template(tmp_path_factory.mktemp("template")) as template:
        yield template


@pytest.fixture
def installed(template: Template, tmp_path: Path) -> Installed:
    """`with installed(without="…", NAME="…") as installation:` is an installation with two tenants and no processes."""
    return partial(installation, template, tmp_path)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    """Random numbers that are the same for the same seed, and different for each trial."""
    return random.Random(f"{SEED} {request.node.name}")


@pytest.fixture
def figures(record_property: Any) -> Callable[[str], None]:
    """`figures("200 kills, 0 lost")` prints the line at the end of the run."""
    return partial(record_property, FIGURES)
