"""What happened, who hears it, and what comes of it; with consumers and kinds of grant that only tests have."""

from collections import defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from structlog.testing import capture_logs

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import (
    MAX_NOT_MATCHED,
    NOT_MATCHED,
    Grant,
    GrantReport,
    Source,
    TraceEntry,
    TraceRest,
    UndoNote,
)
from gamify.facts.services import (
    Consumer,
    Fact,
    GrantKind,
    grant_kinds,
    grant_problem,
    is_change,
    loads_for,
    process,
    publish_changes,
)
from gamify.facts.services.listening import consumers
from gamify.facts.services.pipeline import MAX_DEPTH, MAX_OUTCOMES
from gamify.facts.services.tracing import MAX_CONDITIONS
from gamify.points.models import LedgerEntry
from participants.catalog import catalog_of
from participants.errors import DomainError, FieldError
from participants.models import IdempotencyKey
from participants.work import Load, unit_of_work

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
EARLIER = datetime(2026, 2, 1, tzinfo=UTC)
RULE = Source("rule", "welcome")
EVENT_ID = uuid4()

heard = []
reactions = defaultdict(
    list
)  # (consumer, name of the fact) → outcomes, or a function of fact and work that answers them
CHANGES = ["tier.upgraded", "badge.awarded", "streak.incremented"]


def listener(name, loads=(), changes=CHANGES):
    def consume(fact, work, *, now):
        heard.append((name, fact))
        found = reactions[name, fact.name]
        return found(fact, work) if callable(found) else iter(found)

    return Consumer(loads=lambda catalog, events: loads, consume=consume, changes=lambda catalog: changes)


FIRST = listener("first", loads=[Load(LedgerEntry, "number", (1, 2)), Load(IdempotencyKey, "key", ("k",))])
SECOND = listener("second", loads=[Load(LedgerEntry, "number", (2, 3))], changes=CHANGES[:2])
NO_CONSUMER = "text"


@pytest.fixture(autouse=True)
def two_consumers(settings):
    heard.clear()
    reactions.clear()
    settings.FACT_CONSUMERS = [f"{__name__}.FIRST", f"{__name__}.SECOND"]


@pytest.fixture
def kind(monkeypatch):
    """`kind("cheer", give)` registers a kind for this test."""

    def register(name, give, **given):
        monkeypatch.setattr(grant_kinds, "_entries", dict(grant_kinds._entries))
        grant_kinds.register(name, GrantKind(give, **{"problem": lambda tenant, spec: None, **given}))

    return register


@pytest.fixture
def work(tenant):
    with unit_of_work(tenant, ["ada", "bob"], now=NOW) as work:
        yield work


def fact(work, name="purchase", **given):
    return Fact(participant=work.participant("ada"), name=name, at=EARLIER, key="event:1", event_id=EVENT_ID, **given)


def grant(key="1", kind="cheer", **spec):
    return Grant(kind, {"type": kind, **spec}, RULE, key)


def tell(*names):
    """A reaction: so much is changed, and told."""

    def told(fact, work):
        for name in names:
            work.emit(name, fact.participant, {})
        return ()

    return told


def cheer(work, participant, grant):
    return [GrantReport("badge", f"Cheer {grant.spec.get('n', '')}", grant.source, code="cheer")]


def test_every_consumer_hears_every_fact_in_the_order_of_the_settings(work):
    process(work, fact(work, "one"), now=NOW)
    process(work, fact(work, "two"), now=NOW)

    assert [(name, fact.name) for name, fact in heard] == [
        ("first", "one"),
        ("second", "one"),
        ("first", "two"),
        ("second", "two"),
    ]


def test_what_is_granted_is_answered_in_order(work, kind):
    kind("cheer", cheer)
    found = GrantReport("points", "Points", RULE, code="points", amount=5)
    reactions["first", "purchase"] = [grant("1", n=1), found]
    reactions["second", "purchase"] = [grant("2", n=2)]

    granted = process(work, fact(work), now=NOW).granted

    assert [given.name for given in granted] == ["Cheer 1", "Points", "Cheer 2"]


def test_a_kind_is_told_whom_it_is_given_to_and_what_it_came_of(work, kind):
    given = []
    kind("cheer", lambda *told: given.append(told) or ())
    reactions["first", "purchase"] = [grant(n=1)]

    process(work, fact(work, properties={"amount": 5}), now=NOW)

    [(given_work, participant, told)] = given
    assert (given_work, participant) == (work, work.participant("ada"))
    assert (told.spec, told.source, told.key) == ({"type": "cheer", "n": 1}, RULE, "1")
    assert (told.event_id, told.properties, told.at) == (EVENT_ID, {"amount": 5}, EARLIER)


def test_what_a_kind_needs_is_loaded_before_it_gives(work, kind):
    def count_loaded(work, participant, grant):
        assert work.row(LedgerEntry, participant, 7) is None  # loaded, or this would raise
        return cheer(work, participant, grant)

    kind("cheer", count_loaded, loads=lambda catalog, specs: [Load(LedgerEntry, "number", (specs[0]["n"],))])
    reactions["first", "purchase"] = [grant(n=7)]

    assert len(process(work, fact(work), now=NOW).granted) == 1


def test_a_change_is_heard_by_those_who_listen_to_it_after_the_event(work):
    reactions["first", "purchase"] = tell("streak.incremented", "tier.upgraded", "points.awarded")

    process(work, fact(work), now=NOW)

    assert [(name, fact.name) for name, fact in heard] == [
        ("first", "purchase"),
        ("second", "purchase"),
        ("first", "streak.incremented"),
        ("first", "tier.upgraded"),
        ("second", "tier.upgraded"),
    ]
    _, last = heard[-1]
    assert (last.is_change, last.depth, last.at, last.event_id) == (True, 1, EARLIER, EVENT_ID)
    assert (last.properties, last.key, last.participant) == (
        {"participant_id": "ada"},
        "event:1/tier.upgraded.2",
        work.participant("ada"),
    )


def test_a_silent_unit_hears_its_changes_all_the_same(tenant):
    reactions["first", "purchase"] = tell("tier.upgraded")

    with unit_of_work(tenant, ["ada"], now=NOW, is_silent=True) as work:
        process(work, fact(work), now=NOW)

    assert [fact.name for _, fact in heard] == ["purchase", "purchase", "tier.upgraded", "tier.upgraded"]


def test_a_client_may_call_an_event_like_a_change_and_it_is_none(work):
    process(work, fact(work, "tier.upgraded"), now=NOW)

    assert [fact.is_change for _, fact in heard] == [False, False]


@pytest.mark.parametrize("name", ["event.recorded", "participant.created"])
def test_what_the_client_did_is_no_change(work, name):
    reactions["first", "purchase"] = tell(name)

    process(work, fact(work), now=NOW)

    assert {fact.name for _, fact in heard} == {"purchase"}


def test_what_a_grant_changes_is_heard_too(work, kind):
    def give(work, participant, grant):
        work.emit("badge.awarded", participant, {})
        return cheer(work, participant, grant)

    kind("cheer", give)
    reactions["second", "purchase"] = [grant()]

    granted = process(work, fact(work), now=NOW).granted

    assert [fact.name for name, fact in heard if name == "first"] == ["purchase", "badge.awarded"]
    assert [given.name for given in granted] == ["Cheer "]


def test_nothing_is_granted_twice_under_one_key_in_a_unit(work, kind):
    kind("cheer", cheer)
    reactions["first", "purchase"] = [grant("same"), grant("same"), grant("other")]
    reactions["second", "purchase"] = [grant("same")]

    assert len([given for _ in range(3) for given in process(work, fact(work), now=NOW).granted]) == 2


def test_a_key_belongs_to_its_participant(work, kind):
    kind("cheer", cheer)

    granted = [
        publish_changes(work, work.participant(name), [grant("same")], now=NOW) for name in ("ada", "bob", "ada")
    ]

    assert [len(given) for given in granted] == [1, 1, 0]


def test_a_chain_ends_after_five_facts_and_log_and_trace_say_so(work):
    reactions["first", "purchase"] = reactions["first", "tier.upgraded"] = tell("tier.upgraded")

    with capture_logs() as logs:
        processed = process(work, fact(work), now=NOW)

    assert [fact.depth for name, fact in heard if name == "first"] == list(range(MAX_DEPTH)) == [0, 1, 2, 3, 4]
    assert [(log["event"], log["depth"]) for log in logs] == [("chain_cut", 5)]
    assert processed.trace["cut"] == ["tier.upgraded"]


def test_definitions_that_set_off_each_other_come_to_an_end(work):
    reactions["first", "purchase"] = reactions["first", "tier.upgraded"] = tell(*["tier.upgraded"] * 20)

    with capture_logs() as logs:
        process(work, fact(work), now=NOW)

    assert len([fact for name, fact in heard if name == "first" and fact.is_change]) == MAX_OUTCOMES
    assert {log["event"] for log in logs} == {"chain_cut"}


def test_a_kind_that_grants_itself_comes_to_an_end(work, kind):
    kind("cheer", lambda work, participant, given: [*cheer(work, participant, given), grant(f"{given.key}+")])

    assert len(publish_changes(work, work.participant("ada"), [grant()], now=NOW)) == MAX_OUTCOMES


def test_an_unknown_kind_is_logged_and_left_out(work, kind):
    kind("cheer", cheer)
    reactions["first", "purchase"] = [grant("1", kind="gone"), grant("2")]

    with capture_logs() as logs:
        granted = process(work, fact(work), now=NOW).granted

    assert len(granted) == 1
    assert [(log["event"], log["kind"], log["source"], log["code"]) for log in logs] == [
        ("grant_kind_unknown", "gone", "rule", "welcome")
    ]


def test_a_grant_that_is_refused_is_logged_and_left_out(work, kind):
    def refuse(work, participant, grant):
        raise DomainError("Reward is out of stock", code="out_of_stock")
        yield

    kind("cheer", cheer)
    kind("empty", refuse)
    reactions["first", "purchase"] = [grant("1", kind="empty"), grant("2")]

    with capture_logs() as logs:
        granted = process(work, fact(work), now=NOW).granted

    assert len(granted) == 1
    assert [(log["event"], log["kind"], log["refusal"]) for log in logs] == [("grant_refused", "empty", "out_of_stock")]


def test_a_consumer_that_refuses_is_a_bug_that_is_not_taken_for_a_refusal(work):
    def refuse(fact, work):
        raise DomainError("no")

    reactions["second", "purchase"] = refuse

    with pytest.raises(RuntimeError, match="consumers must not"):
        process(work, fact(work), now=NOW)


def test_a_use_case_without_an_event_settles_what_it_led_to(work, kind):
    given = []
    kind("cheer", lambda work, participant, grant: given.append(grant) or cheer(work, participant, grant))
    reactions["first", "badge.awarded"] = [grant("2", n=2)]
    work.emit("badge.awarded", work.participant("ada"), {"badge_code": "b"})

    granted = publish_changes(work, work.participant("ada"), [grant("1", n=1)], now=NOW)

    assert [given.name for given in granted] == ["Cheer 1", "Cheer 2"]
    assert [(fact.depth, fact.at) for name, fact in heard if name == "first"] == [(0, NOW)]
    assert {(grant.event_id, grant.properties.get("badge_code")) for grant in given} == {(None, None), (None, "b")}


def test_what_was_settled_is_not_settled_again(work):
    work.emit("badge.awarded", work.participant("ada"), {})

    for _ in range(2):
        publish_changes(work, work.participant("ada"), now=NOW)

    assert [name for name, _ in heard] == ["first", "second"]


@pytest.mark.django_db
def test_loads_of_all_consumers_are_one_question_per_table(tenant):
    event = EventInput("ada", "purchase", NOW)

    assert loads_for(catalog_of(tenant), [event]) == [
        Load(LedgerEntry, "number", (1, 2, 3)),
        Load(IdempotencyKey, "key", ("k",)),
    ]


# --- the trace -------------------------------------------------------------------------------------------------------


def passed_over(code, conditions=()):
    return TraceEntry(Source("rule", code), NOT_MATCHED, conditions=lambda: conditions)


def test_the_trace_tells_who_heard_what_and_what_came_of_it(work, kind):
    kind("cheer", cheer)
    asked = {"field": "amount", "operator": "gte", "expected": 10, "actual": 5, "holds": False}
    reactions["first", "purchase"] = [
        passed_over("big", [asked]),
        TraceEntry(RULE, "matched", "for the first time"),
        grant(),
    ]
    reactions["second", "purchase"] = [grant("2", kind="gone")]

    trace = process(work, fact(work), now=NOW).trace

    assert trace == {
        "facts": [
            {
                "name": "purchase",
                "is_change": False,
                "depth": 0,
                "heard": [
                    {"type": "rule", "code": "big", "result": "not_matched", "conditions": [asked]},
                    {"type": "rule", "code": "welcome", "result": "matched", "note": "for the first time"},
                ],
            }
        ],
        "granted": [
            {"type": "badge", "code": "cheer", "name": "Cheer ", "source": {"type": "rule", "code": "welcome"}},
        ],
        "refused": [
            {
                "type": "gone",
                "source": {"type": "rule", "code": "welcome"},
                "reason": "There is no such kind of grant",
            }
        ],
        "cut": [],
    }


def test_there_is_no_trace_where_nobody_listened(work):
    assert process(work, fact(work), now=NOW).trace is None


def test_a_trace_has_bounds(work):
    reactions["first", "purchase"] = [passed_over(f"r{number}", [{}] * 50) for number in range(80)]
    reactions["second", "purchase"] = [TraceRest(7)]

    [told] = process(work, fact(work), now=NOW).trace["facts"]

    assert (len(told["heard"]), told["more"]) == (MAX_NOT_MATCHED, 87 - MAX_NOT_MATCHED)
    assert sum(len(entry.get("conditions", ())) for entry in told["heard"]) == MAX_CONDITIONS


NOT_ONE = FieldError("n", "must be 1")


@pytest.mark.django_db
def test_a_definitions_grant_is_judged_by_its_kind(tenant, kind):
    kind(
        "cheer", cheer, problem=lambda judge, spec: None if (judge, spec["n"]) == (tenant, 1) else NOT_ONE, keys=("n",)
    )

    assert grant_problem(tenant, {"type": "cheer", "n": 1}) is None
    assert grant_problem(tenant, {"type": "cheer", "n": 2}) == NOT_ONE
    for unknown in ({}, {"type": "gone"}, {"type": None}, {"type": ["cheer"]}):
        problem = grant_problem(tenant, unknown)
        assert (problem.field, problem.message) == ("type", f"must be one of: {', '.join(sorted(grant_kinds))}")


def test_a_kind_is_registered_once(kind):
    kind("cheer", cheer)

    with pytest.raises(ValueError, match="registered twice"):
        kind("cheer", cheer)


@pytest.mark.parametrize(
    ("path", "message"),
    [
        (f"{__name__}.MISSING", "cannot be imported"),
        ("nowhere.at.all", "cannot be imported"),
        (f"{__name__}.NO_CONSUMER", "is a str and no Consumer"),
    ],
)
def test_a_misspelt_consumer_is_told_of(settings, path, message):
    settings.FACT_CONSUMERS = [path]

    with pytest.raises(ImproperlyConfigured, match=message):
        consumers()


@pytest.mark.parametrize(
    ("granted", "told"),
    [
        (
            GrantReport("points", "Points", RULE, code="points", amount=10),
            {
                "type": "points",
                "code": "points",
                "name": "Points",
                "amount": 10,
                "source": {"type": "rule", "code": "welcome"},
            },
        ),
        (
            GrantReport("reward", "Mug", RULE, id=EVENT_ID),
            {"type": "reward", "id": str(EVENT_ID), "name": "Mug", "source": {"type": "rule", "code": "welcome"}},
        ),
    ],
)
def test_how_an_answer_tells_of_what_was_granted(granted, told):
    assert granted.told() == told


def test_what_was_counted_is_kept_by_domain_whoever_counted_it(work, kind):
    kind("tick", lambda work, participant, grant: [UndoNote("streaks", {"code": "granted"})])
    reactions["first", "purchase"] = [
        UndoNote("streaks", {"code": "heard"}),
        grant(kind="tick"),
        UndoNote("rules", {"id": 1}),
    ]

    marks = process(work, fact(work), now=NOW).undo_notes

    assert marks == {"streaks": [{"code": "heard"}, {"code": "granted"}], "rules": [{"id": 1}]}


def test_what_takes_something_back_is_no_change(work):
    assert is_change("tier.upgraded")
    assert not is_change("event.reversed")
