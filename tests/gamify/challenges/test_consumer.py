"""What events do to those who take part: through `facts.emit`, as they come from clients."""

from datetime import UTC, datetime, timedelta

import pytest

from gamify.challenges.models import Enrolment
from gamify.challenges.services import enroll
from gamify.facts.engine.events import EventInput
from gamify.facts.models import Event
from gamify.facts.services import Consumer, badge_metrics, emit, emit_batch, simulate
from gamify.points.models import LedgerEntry
from participants.models import DomainEvent, Participant
from participants.services.participants import anonymize, delete
from tests.factories import BadgeFactory, ChallengeFactory, objective

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)
TEN_POINTS = [{"type": "points", "amount": 10}]
SOURCE = {"type": "challenge", "code": "explorer"}


@pytest.fixture
def explorer(tenant):
    """Two logins, then a review; ten points after the first of them, fifty and a badge at the end."""
    BadgeFactory(tenant=tenant, code="explorer", name="Explorer")
    return ChallengeFactory(
        tenant=tenant,
        code="explorer",
        name="Explorer",
        objectives=[objective("login", 2), objective("review", prerequisites=["login"])],
        milestones=[{"objectives": 1, "grants": TEN_POINTS}],
        completion_grants=[{"type": "points", "amount": 50}, {"type": "badge", "code": "explorer"}],
    )


def event(name, participant_id="ada", *, at=NOW, **properties):
    return EventInput(participant_id, name, at, properties)


def happens(tenant, name, participant_id="ada", *, at=NOW, now=None, **properties):
    """What the event earns."""
    tenant.refresh_from_db()
    return emit(tenant=tenant, event=event(name, participant_id, at=at, **properties), now=now or at).rewards_granted


def told(prefix="challenge."):
    found = DomainEvent.objects.filter(type__startswith=prefix).order_by("id")
    return [each.type.removeprefix("challenge.") for each in found]


def heard(row=0):
    """What challenges came to, by the trace of an event."""
    trace = Event.objects.order_by("id")[row].trace
    return [(each["result"], each.get("note")) for each in trace["facts"][0]["heard"] if each["type"] == "challenge"]


def test_an_event_advances_and_its_completions_are_emitted_and_granted(tenant, explorer):
    nothing, points, everything = (happens(tenant, name) for name in ("login", "login", "review"))

    assert nothing == []
    assert [(given["type"], given["amount"], given["source"]) for given in points] == [("points", 10, SOURCE)]
    assert everything[0] == {"type": "challenge", "code": "explorer", "name": "Explorer", "source": SOURCE}
    assert [given["type"] for given in everything] == ["challenge", "points", "badge"]
    assert Participant.objects.get().balance == 60
    assert told() == ["enrolled", "objective_completed", "objective_completed", "completed"]


def test_domain_events_name_the_challenge_and_counts(tenant, explorer):
    for name in ("login", "login", "review"):
        happens(tenant, name)

    enrolled, login, _, completed = DomainEvent.objects.filter(type__startswith="challenge.").order_by("id")
    which = {"participant_id": "ada", "challenge_code": "explorer", "challenge_name": "Explorer"}
    assert enrolled.data == which | {"enrolled_at": "2026-02-14T10:00:00Z", "ends_at": None}
    assert login.data == which | {"objective_code": "login", "objective_label": "Login"}
    assert completed.data == which | {"completions": 1, "total_completed": 1}


def test_a_completion_is_granted_once_and_later_events_do_not_count(tenant, explorer):
    for name in ("login", "login", "review", "login", "login", "review"):
        happens(tenant, name)

    assert Participant.objects.get().balance == 60
    assert Enrolment.objects.get().completions == 1
    assert heard(5) == [("already_completed", None)]


def test_a_repeatable_challenge_grants_again(tenant):
    ChallengeFactory(tenant=tenant, is_repeatable=True, completion_grants=TEN_POINTS)

    for _ in range(3):
        happens(tenant, "login")

    participant = Participant.objects.get()
    assert (participant.balance, participant.challenges_completed) == (30, 3)
    assert LedgerEntry.objects.count() == 3


def test_a_batch_is_processed_in_order(tenant, explorer):
    events = [event("login"), event("login"), event("review"), event("login", "bob")]

    results = emit_batch(tenant=tenant, events=events, refused={}, now=NOW).results

    assert [[given["type"] for given in result.rewards_granted] for result in results] == [
        [],
        ["points"],
        ["challenge", "points", "badge"],
        [],
    ]


def test_only_events_that_match_the_expression_count(tenant):
    pro = {"condition": {"field": "plan", "operator": "eq", "value": "pro"}}
    ChallengeFactory(tenant=tenant, objectives=[objective("login", expression=pro)])

    happens(tenant, "login", plan="free")
    happens(tenant, "login", plan="pro")

    assert (heard(0), heard(1)) == ([("not_matched", None)], [("counted", "Completed")])
    judged = Event.objects.order_by("id")[0].trace["facts"][0]["heard"][0]["conditions"]
    assert judged == [{"field": "plan", "operator": "eq", "expected": "pro", "actual": "free", "holds": False}]


@pytest.mark.parametrize(("kind", "values"), [("sum", [40, 59.5, 0.5]), ("distinct", ["a", "a", "b"])])
def test_sums_and_distinct_values_are_those_of_the_field(tenant, kind, values):
    wanted = objective("buy", {"sum": 100, "distinct": 2}[kind], type=kind, of={"field": "cart.amount"})
    ChallengeFactory(tenant=tenant, objectives=[wanted])

    earned = [bool(happens(tenant, "buy", cart={"amount": value})) for value in values]

    assert earned == [False, False, True]


def test_an_objective_may_count_any_event(tenant):
    ChallengeFactory(tenant=tenant, objectives=[objective("all", 2, event_types=["*"]), objective("login")])

    happens(tenant, "login")
    happens(tenant, "whatever")

    assert told() == ["enrolled", "objective_completed", "objective_completed", "completed"]


def test_an_event_that_no_challenge_listens_to_makes_no_query_for_challenges(tenant, explorer, queries):
    happens(tenant, "login")

    with queries(1 + 2 + 3):  # the tenant, the lock, the version; participant, event and outbox
        happens(tenant, "logout")


def test_an_event_that_counts_costs_one_query_and_one_row_more(tenant, explorer, queries):
    happens(tenant, "login", "bob")
    happens(tenant, "login", "bob")
    happens(tenant, "login")

    with queries(1 + 3 + 3 + 1 + 1):  # the enrolment with the lock; it and the ledger are written
        happens(tenant, "login")


def test_an_inactive_challenge_ignores_events(tenant):
    ChallengeFactory(tenant=tenant, is_active=False)

    happens(tenant, "login")

    assert not Enrolment.objects.exists()


def test_an_event_does_not_enrol_in_a_manual_challenge(tenant):
    ChallengeFactory(tenant=tenant, code="manual", enrolment="manual")

    happens(tenant, "login")
    enroll(tenant=tenant, participant_id="ada", code="manual", now=NOW)
    happens(tenant, "login")

    assert heard(0) == [("not_enrolled", "The participant is not enrolled")]
    assert told() == ["enrolled", "objective_completed", "completed"]


def test_the_enrolment_starts_at_the_first_event_and_earlier_events_do_not_count(tenant):
    ChallengeFactory(tenant=tenant, objectives=[objective("login", 3)])

    happens(tenant, "login", at=NOW - DAY, now=NOW)
    happens(tenant, "login", at=NOW - 2 * DAY, now=NOW)
    happens(tenant, "login", at=NOW - DAY, now=NOW)

    row = Enrolment.objects.get()
    assert row.enrolled_at == NOW - DAY
    assert row.progress["login"][0] == 2
    assert heard(1) == [("out_of_schedule", None)]


@pytest.mark.parametrize(
    ("hours", "result"), [(-1, "out_of_schedule"), (0, "counted"), (47, "counted"), (48, "out_of_schedule")]
)
def test_a_fixed_challenge_counts_events_in_its_period(tenant, hours, result):
    ChallengeFactory(tenant=tenant, duration_type="fixed", starts_at=NOW, ends_at=NOW + 2 * DAY)

    happens(tenant, "login", at=NOW + timedelta(hours=hours), now=NOW + 5 * DAY)

    assert [each for each, _ in heard()] == [result]
    assert Enrolment.objects.exists() == (result == "counted")


@pytest.mark.parametrize(("hours", "result"), [(47, "counted"), (48, "out_of_schedule")])
def test_a_rolling_challenge_lasts_from_the_enrolment(tenant, hours, result):
    wanted = [objective("login", 2)]
    ChallengeFactory(tenant=tenant, duration_type="rolling", duration_days=2, objectives=wanted)
    happens(tenant, "login")

    happens(tenant, "login", at=NOW + timedelta(hours=hours))

    assert [each for each, _ in heard(1)] == [result]


def test_grants_belong_to_the_event_that_earned_them(tenant, explorer):
    happens(tenant, "login")
    happens(tenant, "login")

    assert LedgerEntry.objects.get().event_id == Event.objects.order_by("id")[1].pk


def test_other_definitions_react_to_a_completion(tenant, explorer, settings):
    settings.FACT_CONSUMERS = [*settings.FACT_CONSUMERS, f"{__name__}.OTHERS"]
    OTHERS_HEARD[:] = []

    for name in ("login", "login", "review"):
        happens(tenant, name)

    number = badge_metrics["challenges_completed"].raised_by["challenge.completed"]
    facts = [(fact.name, fact.properties["total_completed"], number(fact, {})) for fact in OTHERS_HEARD]
    assert facts == [("challenge.completed", 1, 1)]


OTHERS_HEARD = []


def _hear(fact, work, *, now):
    if fact.is_change:
        OTHERS_HEARD.append(fact)
    return []


OTHERS = Consumer(lambda catalog, events: [], _hear, changes=lambda catalog: ["challenge.completed"])


def test_a_simulation_shows_the_grants_and_changes_nothing(tenant, explorer, nothing_written):
    happens(tenant, "login")

    with nothing_written():
        simulated = simulate(tenant=tenant, event=event("login"), now=NOW)

    assert [given["amount"] for given in simulated.rewards_granted] == [10]


def test_another_tenants_challenge_is_not_advanced(tenant, other_tenant, explorer):
    happens(other_tenant, "login")

    assert not Enrolment.objects.exists()


def test_a_malformed_expression_matches_nothing_and_breaks_no_other_challenge(tenant):
    ChallengeFactory(tenant=tenant, objectives=[objective("login", expression={"never": "valid"})])
    ChallengeFactory(tenant=tenant, code="good")

    assert [given["code"] for given in happens(tenant, "login")] == ["good"]


def test_a_challenge_whose_end_was_postponed_continues(tenant):
    challenge = ChallengeFactory(
        tenant=tenant, objectives=[objective("login", 2)], duration_type="fixed", starts_at=NOW - DAY, ends_at=NOW + DAY
    )
    happens(tenant, "login")
    Enrolment.objects.update(expired_at=NOW + DAY)
    type(challenge).objects.update(ends_at=NOW + 9 * DAY)
    type(tenant).objects.update(catalog_version=9)

    happens(tenant, "login", at=NOW + 2 * DAY)

    row = Enrolment.objects.get()
    assert (row.completions, row.expired_at) == (1, None)


def test_erasing_a_participant_deletes_their_enrolments(tenant, explorer):
    happens(tenant, "login")
    happens(tenant, "login", "bob")

    delete(tenant=tenant, external_id="ada", now=NOW)

    assert Enrolment.objects.get().participant_id == Participant.objects.get().pk


def test_anonymizing_keeps_the_number_of_distinct_values(tenant):
    wanted = objective("login", 3, type="distinct", of={"field": "email"})
    ChallengeFactory(tenant=tenant, objectives=[wanted])
    happens(tenant, "login", email="ada@example.com")
    happens(tenant, "login", email="ada@example.org")

    anonymize(tenant=tenant, external_id="ada", now=NOW)

    row = Enrolment.objects.get()
    assert len(row.state.progress["login"].distinct) == 2
    assert "ada@" not in str(row.progress)
