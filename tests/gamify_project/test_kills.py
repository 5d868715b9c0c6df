"""Processes are killed with SIGKILL while awards are written and delivered: a small `python -m bench kills`."""

import os

import pytest

from bench.kills import try_kills
from tests.deployment import empty_database

pytestmark = pytest.mark.deployment


@pytest.mark.timeout(180)
def test_nothing_is_lost_or_duplicated_when_processes_are_killed() -> None:
    with empty_database(os.environ["DATABASE_URL"]) as url:
        outcome = try_kills(url, kills=10)

    outcome.check()
    assert outcome.killed.total() == 10
    assert outcome.acknowledged
