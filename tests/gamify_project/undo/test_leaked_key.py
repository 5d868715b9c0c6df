"""A leaked key, played: 500 writes by key A among 500 by key B, over 100 participants. Then A is undone."""

import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from django.core.management import call_command

from gamify_project.undo import running
from gamify_project.undo.models import Undo
from participants.models import Tenant
from tests.client import Api
from tests.gamify_project.undo.worlds import World, done, finish, rows_of, standing

PEOPLE, WRITES = 100, 500
Write = tuple[str, str, Callable[[World, Api, str], Any]]
"""The key, the participant and what the key writes about them."""


def award(amount: int, **given: Any) -> Callable[[World, Api, str], Any]:
    return lambda world, api, who: api.post("/points/award", {"participant_id": who, "amount": amount, **given})


def deduct(amount: int) -> Callable[[World, Api, str], Any]:
    return lambda world, api, who: api.post("/points/deduct", {"participant_id": who, "amount": amount})


def tick(world: World, api: Api, who: str) -> Any:
    return api.post("/streaks/record", {"participant_id": who, "streak_code": "daily"})


def event(world: World, api: Api, who: str) -> Any:
    return api.post("/events", {"participant_id": who, "event_name": "buy"})


def badge(code: str) -> Callable[[World, Api, str], Any]:
    return lambda world, api, who: api.post("/badges/award", {"participant_id": who, "badge_code": code})


def claim(world: World, api: Api, who: str) -> Any:
    return api.post(f"/rewards/{world.rewards['mug']}/claim", {"participant_id": who, "points_deduction": True})


def writes(seed: int) -> Iterator[Write]:
    """Yield what both keys write. B writes first. So every participant has enough points for what follows, and earns each badge by
    criteria without A."""
    chance = random.Random(seed)
    people = [f"p{number}" for number in range(PEOPLE)]
    for who in people:
        yield "b", who, award(1_000)
        yield "b", who, event
        yield "b", who, event
    own = [("a", PEOPLE * 5), ("b", WRITES - 3 * PEOPLE)]
    order = [name for name, number in own for _ in range(number)]
    chance.shuffle(order)
    for name in order:
        acts = [
            award(chance.randint(1, 90)),
            award(chance.randint(1, 90), expires_in_days=30),
            deduct(chance.randint(1, 5)),
            tick,
            event,
            badge("gift") if name == "a" else badge("loyal"),
            claim,
        ]
        yield name, chance.choice(people), chance.choice(acts)


def play(world: World, sequence: Sequence[Write], *keys: str) -> None:
    for name, who, write in sequence:
        if name in keys:
            done(write(world, getattr(world, name), who))


@pytest.fixture
def world(tenant: Tenant) -> World:
    return prepared(tenant)


def prepared(tenant: Tenant) -> World:
    world = World(tenant)
    done(world.operator.post("/admin/badges", {"code": "loyal", "name": "Loyal"}))
    return world


def actor(world: World, name: str) -> str:
    return f"api_key:{world.causes[name]['id']}"


@pytest.mark.parametrize("seed", [18])
def test_after_the_undo_everything_is_as_if_the_key_had_written_nothing(world, other_tenant, seed):
    sequence, never = list(writes(seed)), prepared(other_tenant)
    play(world, sequence, "a", "b")
    play(never, sequence, "b")
    before = rows_of(world.tenant, actor(world, "b"))

    report = world.undo()

    assert report["status"] == "done"
    assert standing(world.tenant) == standing(never.tenant)
    assert rows_of(world.tenant, actor(world, "b")) == before
    assert {type_name for type_name, _, _ in world.kept(report["id"])} <= {"streak.incremented"}
    assert sum(name == "a" for name, _, _ in sequence) == sum(name == "b" for name, _, _ in sequence) == WRITES
    call_command("verify_ledger", "--tenant", "acme", "--json")


def some_writes() -> list[Write]:
    """A part of the play, for tests that play it more than once."""
    people = {f"p{number}" for number in range(8)}
    return [each for each in writes(18) if each[1] in people]


class Killed(Exception):
    pass


def test_an_undo_that_is_killed_in_the_middle_of_a_row_has_the_same_result(world, other_tenant, monkeypatch):
    sequence, never = some_writes(), prepared(other_tenant)
    play(world, sequence, "a", "b")
    play(never, sequence, "b")
    undo = Undo.objects.get(pk=world.undo(runs=False)["id"])
    store, calls = running._store, [0]

    def killed_sometimes(result: Any) -> None:
        store(result)
        calls[0] += 1
        if calls[0] % 3 == 0:
            raise Killed  # after the row was taken back, before the commit

    monkeypatch.setattr(running, "_store", killed_sometimes)
    kills = 0
    while True:
        try:
            finish(Undo.objects.get(pk=undo.pk))
            break
        except Killed:
            kills += 1

    assert kills > 5
    assert standing(world.tenant) == standing(never.tenant)
    call_command("verify_ledger", "--tenant", "acme", "--json")
