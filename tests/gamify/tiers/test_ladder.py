"""The tier ladder: what is out of order, who would move up, and moving them in the background."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gamify.tiers import services
from gamify.tiers.engine import Basis, Tier, disorders
from gamify.tiers.models import LadderRun, TierChange
from gamify.tiers.models import Tier as TierRow
from gamify.tiers.selectors import number_to_raise, participants_to_raise
from gamify.tiers.services import ladder
from gamify.tiers.tasks import apply_ladders
from participants.actors import ActorKind, acting_as, actor_of
from participants.models import Participant, Tenant
from participants.work import reading
from tests.console import Console, errors_of, staff, text_of
from tests.factories import ParticipantFactory, TierFactory
from tests.threads import in_own_connection

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
LADDER, ADD, CHANGE = "tiers_tier_ladder", "tiers_tier_add", "tiers_tier_change"
GOLD = {
    "code": "gold", "name": "Gold", "level": "3", "award_type": "automatic", "min_points": "1000", "basis": "balance",
    "is_active": "on", "display_order": "0",
}  # fmt: skip


def tier(code: str, level: int, min_points: int | None, **columns: Any) -> Tier:
    return Tier(id=None, code=code, name=code.title(), level=level, min_points=min_points, **columns)  # type: ignore[arg-type]  # no row


def person(tenant: Tenant, external_id: str, points: int, **columns: Any) -> Participant:
    return ParticipantFactory(
        tenant=tenant,
        external_id=external_id,
        balance=points,
        total_earned=columns.pop("total_earned", points),
        **columns,
    )


def tiers(tenant: Tenant, **points: int) -> None:
    for level, (code, min_points) in enumerate(points.items(), start=1):
        TierFactory(
            tenant=tenant, code=code, name=code.title(), level=level, criteria_config={"min_points": min_points}
        )
    tenant.refresh_from_db()


# --- what is out of order ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ladder", "found"),
    [
        ([("silver", 1, 100), ("gold", 2, 200)], []),
        ([("silver", 1, 100), ("gold", 2, 100)], []),
        ([("silver", 1, 100), ("gold", 1, 200)], ["“Gold” has the same level as “Silver”: 1."]),
        (
            [("silver", 1, 500), ("gold", 2, 200), ("platinum", 3, 300)],
            [
                "“Gold” (level 2) is reached at 200 points, before the lower “Silver” (level 1), which needs 500.",
                "“Platinum” (level 3) is reached at 300 points, before the lower “Silver” (level 1), which needs 500.",
            ],
        ),
    ],
)
def test_a_disorderly_ladder_is_described(ladder: Any, found: list[str]) -> None:
    assert disorders(tier(*each) for each in ladder) == found


def test_tiers_that_points_do_not_compare_are_in_order() -> None:
    assert not disorders(
        [
            tier("silver", 1, 500),
            tier("by_lifetime", 2, 100, basis=Basis.LIFETIME),
            tier("by_hand", 3, None, is_automatic=False),
            tier("old", 4, 1, is_active=False),
        ]
    )


@pytest.mark.parametrize(("field", "value"), [("level", "1"), ("min_points", "50")])
def test_the_console_refuses_a_disorderly_tier_unless_it_is_confirmed(tenant: Tenant, field: str, value: str) -> None:
    tiers(tenant, silver=100)
    console = Console(tenant)
    data = {**GOLD, field: value, "opened_for": str(tenant.pk)}

    refused = console.post(ADD, **data)

    assert list(errors_of(refused)) == ["level"]
    assert "Save it nevertheless" in text_of(refused)
    assert TierRow.objects.count() == 1
    console.post(ADD, **data, is_intended="on")
    assert TierRow.objects.count() == 2
    gold = TierRow.objects.get(code="gold")
    assert console.edit(CHANGE, gold.pk, name="Golden").status_code == 302  # the disorder was there before


def test_the_api_takes_a_disorderly_tier(tenant: Tenant, admin_api: Any) -> None:
    tiers(tenant, silver=100)

    answer = admin_api.post(
        "/admin/tiers", {"code": "gold", "name": "Gold", "level": 1, "criteria_config": {"min_points": 5}}
    )

    assert answer.status_code == 201


# --- who would move ---------------------------------------------------------------------------------------------------

POINTS = st.integers(0, 6)
TIERS = st.lists(
    st.tuples(st.integers(0, 3), POINTS, st.sampled_from(list(Basis)), st.booleans(), st.sampled_from(["automatic", "manual"])),
    max_size=5,
)  # fmt: skip
PEOPLE = st.lists(st.tuples(POINTS, POINTS, st.none() | st.integers(0, 5), st.booleans()), min_size=1, max_size=6)


@given(TIERS, PEOPLE)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_database_finds_those_whom_a_recomputation_moves(tenant: Tenant, defined: Any, people: Any) -> None:
    Participant.objects.all().delete()
    TierRow.objects.all().delete()
    for number, (level, points, basis, is_active, award_type) in enumerate(defined):
        criteria = {"min_points": points, "basis": basis.value}
        TierFactory(
            tenant=tenant, code=f"t{number}", level=level, criteria_config=criteria, is_active=is_active, award_type=award_type
        )  # fmt: skip
    tenant.refresh_from_db()
    for number, (balance, earned, of_tier, is_manual) in enumerate(people):
        code = None if of_tier is None or of_tier >= len(defined) else f"t{of_tier}"
        columns = {"total_earned": max(earned, balance), "total_spent": max(earned - balance, 0)}
        person(tenant, f"p{number}", balance, tier_code=code, tier_is_manual=bool(code) and is_manual, **columns)
    with reading(tenant):
        expected = dict(participants_to_raise(tenant).values_list("external_id", "target"))

    services.recompute(tenant=tenant, participant_ids=[f"p{number}" for number in range(len(people))], now=NOW)

    moved = TierChange.objects.values_list("participant_id", "code")
    names = dict(Participant.objects.values_list("pk", "external_id"))
    assert {names[pk]: code for pk, code in moved if pk in names} == expected


# --- moving them ------------------------------------------------------------------------------------------------------


@pytest.fixture
def waiting(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> Tenant:
    """Five participants with points for a tier that was defined later, three of them for gold."""
    monkeypatch.setattr(ladder, "CHUNK", 2)
    for number, points in enumerate([50, 120, 1500, 1600, 1700]):
        person(tenant, f"p{number}", points)
    tiers(tenant, silver=100, gold=1000)
    return tenant


def test_the_page_shows_the_ladder_and_who_would_move(waiting: Tenant) -> None:
    shown = text_of(Console(waiting).get(LADDER))

    assert "from 1,000, the balance" in shown
    assert "Move 4 participants up now" in shown
    assert number_to_raise(waiting) == {"silver": 1, "gold": 3}


def test_staff_move_them_and_are_named_as_the_actor(waiting: Tenant) -> None:
    console = Console(waiting)

    assert console.post(LADDER).status_code == 302
    assert "Working." in text_of(console.get(LADDER))
    apply_ladders()

    assert Participant.objects.filter(tier_code="gold").count() == 3
    assert set(TierChange.objects.values_list("actor_label", flat=True)) == {"ops"}
    shown = text_of(console.get(LADDER))
    assert "4 participants went up." in shown
    assert "Move" not in shown.partition("</form>")[0].rpartition("console-buttons")[2]
    apply_ladders()
    assert TierChange.objects.count() == 4


def test_a_run_that_is_interrupted_goes_on_where_it_was(waiting: Tenant) -> None:
    run = services.apply_ladder(tenant=waiting, now=NOW)

    next(services.apply_in_chunks(run=run, now=NOW))

    assert LadderRun.objects.get().raised == 2
    apply_ladders()
    run.refresh_from_db()
    assert (run.raised, run.finished_at is not None) == (4, True)


def test_a_second_request_starts_the_run_again(waiting: Tenant) -> None:
    first = services.apply_ladder(tenant=waiting, now=NOW)
    steps = services.apply_in_chunks(run=first, now=NOW)
    next(steps)
    with acting_as(actor_of(ActorKind.STAFF, 7, "colleague")):
        services.apply_ladder(tenant=waiting, now=NOW.replace(hour=13))

    list(steps)

    run = LadderRun.objects.get()
    assert (run.finished_at, run.actor_label) == (None, "colleague")
    apply_ladders()
    assert Participant.objects.filter(tier_code="gold").count() == 3


def test_one_participant_who_cannot_be_moved_does_not_hold_up_the_others(
    waiting: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse_one(*, participant_ids: list[str], **options: Any) -> int:
        if "p2" in participant_ids:
            raise ZeroDivisionError
        return services.recompute(participant_ids=participant_ids, **options)

    monkeypatch.setattr(ladder, "recompute", refuse_one)
    run = services.apply_ladder(tenant=waiting, now=NOW)

    apply_ladders()

    run.refresh_from_db()
    assert (run.raised, run.finished_at is not None) == (3, True)


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_a_chunk_that_another_worker_has_is_left_to_it(waiting: Tenant) -> None:
    run = services.apply_ladder(tenant=waiting, now=NOW)

    with transaction.atomic(), ThreadPoolExecutor(1) as pool:
        LadderRun.objects.select_for_update().get()
        looked_at = pool.submit(in_own_connection, lambda: list(services.apply_in_chunks(run=run, now=NOW))).result(30)

    assert looked_at == []
    assert list(services.apply_in_chunks(run=run, now=NOW)) == [2, 2]


def test_after_a_tier_was_saved_the_console_says_who_has_enough_points(tenant: Tenant) -> None:
    person(tenant, "ada", 5000)
    console = Console(tenant)

    console.post(ADD, **GOLD, opened_for=str(tenant.pk))

    assert "1 participant has enough points" in text_of(console.get("tiers_tier_changelist"))


def test_only_staff_who_may_change_tiers_of_participants_move_them(waiting: Tenant) -> None:
    clerk: User = staff("tiers.view_tier")
    console = Console(waiting, user=clerk)

    assert "Move 4" not in text_of(console.get(LADDER))
    assert console.post(LADDER).status_code == 403
    assert not LadderRun.objects.exists()
