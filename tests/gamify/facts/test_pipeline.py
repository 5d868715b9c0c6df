"""The pipeline: facts, consumers and grants. The consumers and grant kinds exist only in this module."""

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
    code_of,
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

consumed = []
reactions = defaultdict(
    list
)  # (consumer, name of the fact) → outcomes, or a function of fact and work that answers them
CHANGES = ["tier.upgraded", "badge.awarded", "streak.incremented"]


def listener(name, loads=(), changes=CHANGES):
    def consume(fact, work, *, now):
        consumed.append((name, fact))
        found = reactions[name, fact.name]
        return found(fact, work) if callable(found) else iter(found)

    return Consumer(loads=lambda catalog, events: loads, consume=consume, changes=lambda catalog: changes)


FIRST = listener("first", loads=[Load(LedgerEntry, "number", (1, 2)), Load(IdempotencyKey, "key", ("k",))])
SECOND = listener("second", loads=[Load(LedgerEntry, "number", (2, 3))], changes=CHANGES[:2])
NO_CONSUMER = "text"


@pytest.fixture(autouse=True)
def two_consumers(settings):
    consumed.clear()
    reactions.clear()
    settings.FACT_CONSUMERS = [f"{__name__}.FIRST", f"{__name__}.SECOND"]


@pytest.fixture
def kind(monkeypatch):
    """`kind("cheer", give)` registers a kind for this test."""

    def register(name, give, **given):
        monkeypatch.setattr(grant_kinds, "_entries", dict(grant_kinds._entries))
        grant_kinds.register(
            name, GrantKind(**{"label": name, "give": give, "problem": lambda tenant, spec: None, **given})
        )

    return register


@pytest.fixture
def work(tenant):
    with unit_of_work(tenant, ["ada", "bob"], now=NOW) as work:
        yield work


def fact(work, name="purchase", **given):
    return Fact(participant=work.participant("ada"), name=name, at=EARLIER, key="event:1", event_id=EVENT_ID, **given)


def grant(key="1", kind="cheer", **spec):
    return Grant(kind, {"type": kind, **spec}, RULE, key)


def emit(*names):
    """Return a reaction that emits domain events with these names."""

    def reaction(fact, work):
        for name in names:
            work.emit(name, fact.participant, {})
        return ()

    return reaction


def cheer(work, participant, grant):
    return [GrantReport("badge", f"Cheer {grant.spec.get('n', '')}", grant.source, code="cheer")]


def test_every_consumer_gets_every_fact_in_the_order_of_the_settings(work):
    process(work, fact(work, "one"), now=NOW)
    process(work, fact(work, "two"), now=NOW)

    assert [(name, fact.name) for name, fact in consumed] == [
        ("first", "one"),
        ("second", "one"),
        ("first", "two"),
        ("second", "two"),
    ]


def test_the_result_lists_grants_in_order(work, kind):
    kind("cheer", cheer)
    found = GrantReport("points", "Points", RULE, code="points", amount=5)
    reactions["first", "purchase"] = [grant("1", n=1), found]
    reactions["second", "purchase"] = [grant("2", n=2)]

    granted = process(work, fact(work), now=NOW).granted

    assert [given.name for given in granted] == ["Cheer 1", "Points", "Cheer 2"]


def test_a_kind_gets_the_participant_and_the_cause(work, kind):
    given = []
    kind("cheer", lambda *call: given.append(call) or ())
    reactions["first", "purchase"] = [grant(n=1)]

    process(work, fact(work, properties={"amount": 5}), now=NOW)

    [(given_work, participant, passed)] = given
    assert (given_work, participant) == (work, work.participant("ada"))
    assert (passed.spec, passed.source, passed.key) == ({"type": "cheer", "n": 1}, RULE, "1")
    assert (passed.event_id, passed.properties, passed.at) == (EVENT_ID, {"amount": 5}, EARLIER)


def test_the_rows_of_a_kind_are_loaded_before_it_gives(work, kind):
    def count_loaded(work, participant, grant):
        assert work.row(LedgerEntry, participant, 7) is None  # loaded, or this would raise
        return cheer(work, participant, grant)

    kind("cheer", count_loaded, loads=lambda catalog, specs: [Load(LedgerEntry, "number", (specs[0]["n"],))])
    reactions["first", "purchase"] = [grant(n=7)]

    assert len(process(work, fact(work), now=NOW).granted) == 1


def test_consumers_get_the_changes_that_they_listen_to_after_the_event(work):
    reactions["first", "purchase"] = emit("streak.incremented", "tier.upgraded", "points.awarded")

    process(work, fact(work), now=NOW)

    assert [(name, fact.name) for name, fact in consumed] == [
        ("first", "purchase"),
        ("second", "purchase"),
        ("first", "streak.incremented"),
        ("first", "tier.upgraded"),
        ("second", "tier.upgraded"),
    ]
    _, last = consumed[-1]
    assert (last.is_change, last.depth, last.at, last.event_id) == (True, 1, EARLIER, EVENT_ID)
    assert (last.properties, last.key, last.participant) == (
        {"participant_id": "ada"},
        "event:1/tier.upgraded.2",
        work.participant("ada"),
    )


def test_a_silent_unit_processes_its_changes_too(tenant):
    reactions["first", "purchase"] = emit("tier.upgraded")

    with unit_of_work(tenant, ["ada"], now=NOW, is_silent=True) as work:
        process(work, fact(work), now=NOW)

    assert [fact.name for _, fact in consumed] == ["purchase", "purchase", "tier.upgraded", "tier.upgraded"]


def test_an_event_with_the_name_of_a_change_is_not_a_change(work):
    process(work, fact(work, "tier.upgraded"), now=NOW)

    assert [fact.is_change for _, fact in consumed] == [False, False]


@pytest.mark.parametrize("name", ["event.recorded", "participant.created"])
def test_events_of_clients_are_not_changes(work, name):
    reactions["first", "purchase"] = emit(name)

    process(work, fact(work), now=NOW)

    assert {fact.name for _, fact in consumed} == {"purchase"}


def test_consumers_get_the_changes_of_a_grant(work, kind):
    def give(work, participant, grant):
        work.emit("badge.awarded", participant, {})
        return cheer(work, participant, grant)

    kind("cheer", give)
    reactions["second", "purchase"] = [grant()]

    granted = process(work, fact(work), now=NOW).granted

    assert [fact.name for name, fact in consumed if name == "first"] == ["purchase", "badge.awarded"]
    assert [given.name for given in granted] == ["Cheer "]


def test_a_unit_grants_once_per_key(work, kind):
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


def test_a_chain_ends_after_five_facts_and_log_and_trace_name_the_rest(work):
    reactions["first", "purchase"] = reactions["first", "tier.upgraded"] = emit("tier.upgraded")

    with capture_logs() as logs:
        processed = process(work, fact(work), now=NOW)

    assert [fact.depth for name, fact in consumed if name == "first"] == list(range(MAX_DEPTH)) == [0, 1, 2, 3, 4]
    assert [(log["event"], log["depth"]) for log in logs] == [("chain_cut", 5)]
    assert processed.trace["cut"] == ["tier.upgraded"]


def test_definitions_that_trigger_each_other_come_to_an_end(work):
    reactions["first", "purchase"] = reactions["first", "tier.upgraded"] = emit(*["tier.upgraded"] * 20)

    with capture_logs() as logs:
        process(work, fact(work), now=NOW)

    assert len([fact for name, fact in consumed if name == "first" and fact.is_change]) == MAX_OUTCOMES
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


def test_a_consumer_that_refuses_is_a_bug_and_not_a_refusal(work):
    def refuse(fact, work):
        raise DomainError("no")

    reactions["second", "purchase"] = refuse

    with pytest.raises(RuntimeError, match="consumers must not"):
        process(work, fact(work), now=NOW)


def test_a_use_case_without_an_event_publishes_its_changes(work, kind):
    given = []
    kind("cheer", lambda work, participant, grant: given.append(grant) or cheer(work, participant, grant))
    reactions["first", "badge.awarded"] = [grant("2", n=2)]
    work.emit("badge.awarded", work.participant("ada"), {"badge_code": "b"})

    granted = publish_changes(work, work.participant("ada"), [grant("1", n=1)], now=NOW)

    assert [given.name for given in granted] == ["Cheer 1", "Cheer 2"]
    assert [(fact.depth, fact.at) for name, fact in consumed if name == "first"] == [(0, NOW)]
    assert {(grant.event_id, grant.properties.get("badge_code")) for grant in given} == {(None, None), (None, "b")}


def test_changes_are_published_once(work):
    work.emit("badge.awarded", work.participant("ada"), {})

    for _ in range(2):
        publish_changes(work, work.participant("ada"), now=NOW)

    assert [name for name, _ in consumed] == ["first", "second"]


@pytest.mark.django_db
def test_the_loads_of_all_consumers_are_merged_per_table(tenant):
    event = EventInput("ada", "purchase", NOW)

    assert loads_for(catalog_of(tenant), [event]) == [
        Load(LedgerEntry, "number", (1, 2, 3)),
        Load(IdempotencyKey, "key", ("k",)),
    ]


# --- the trace -------------------------------------------------------------------------------------------------------


def not_matched(code, conditions=()):
    return TraceEntry(Source("rule", code), NOT_MATCHED, conditions=lambda: conditions)


def test_the_trace_lists_listeners_results_and_grants(work, kind):
    kind("cheer", cheer)
    condition = {"field": "amount", "operator": "gte", "expected": 10, "actual": 5, "holds": False}
    reactions["first", "purchase"] = [
        not_matched("big", [condition]),
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
                    {"type": "rule", "code": "big", "version": 1, "result": "not_matched", "conditions": [condition]},
                    {
                        "type": "rule",
                        "code": "welcome",
                        "version": 1,
                        "result": "matched",
                        "note": "for the first time",
                    },
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


def test_there_is_no_trace_if_no_definition_listens(work):
    assert process(work, fact(work), now=NOW).trace is None


def test_a_trace_has_bounds(work):
    reactions["first", "purchase"] = [not_matched(f"r{number}", [{}] * 50) for number in range(80)]
    reactions["second", "purchase"] = [TraceRest(7)]

    [traced] = process(work, fact(work), now=NOW).trace["facts"]

    assert (len(traced["heard"]), traced["more"]) == (MAX_NOT_MATCHED, 87 - MAX_NOT_MATCHED)
    assert sum(len(entry.get("conditions", ())) for entry in traced["heard"]) == MAX_CONDITIONS


NOT_ONE = FieldError("n", "must be 1")


@pytest.mark.django_db
def test_the_kind_validates_a_grant(tenant, kind):
    kind(
        "cheer",
        cheer,
        problem=lambda judge, spec: None if (judge, spec["n"]) == (tenant, 1) else NOT_ONE,
        fields={"n": code_of("badge")},
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
def test_a_misspelt_consumer_is_reported(settings, path, message):
    settings.FACT_CONSUMERS = [path]

    with pytest.raises(ImproperlyConfigured, match=message):
        consumers()


@pytest.mark.parametrize(
    ("report", "expected"),
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
def test_a_grant_report_as_json(report, expected):
    assert report.to_json() == expected


def test_undo_notes_are_collected_by_domain(work, kind):
    kind("tick", lambda work, participant, grant: [UndoNote("streaks", {"code": "granted"})])
    reactions["first", "purchase"] = [
        UndoNote("streaks", {"code": "heard"}),
        grant(kind="tick"),
        UndoNote("rules", {"id": 1}),
    ]

    notes = process(work, fact(work), now=NOW).undo_notes

    assert notes == {"streaks": [{"code": "heard"}, {"code": "granted"}], "rules": [{"id": 1}]}


def test_reversals_are_not_changes(work):
    assert is_change("tier.upgraded")
    assert not is_change("event.reversed")
