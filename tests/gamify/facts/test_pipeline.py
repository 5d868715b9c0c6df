"""What happened, who hears it, and what comes of it; with consumers and kinds of grant that only tests have."""

from collections import defaultdict
from datetime import UTC, datetime
from uuid import uuid4

import pytest
from django.core.exceptions import ImproperlyConfigured
from structlog.testing import capture_logs

from gamify.facts.engine.events import EventInput
from gamify.facts.engine.outcomes import Change, Grant, Granted, Source
from gamify.facts.services import (
    Consumer,
    Fact,
    GrantKind,
    grant_kinds,
    grant_problem,
    loads_for,
    loads_of_grants,
    process,
    settle,
)
from gamify.facts.services.listening import consumers
from gamify.facts.services.pipeline import MAX_DEPTH, MAX_OUTCOMES
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
reactions = defaultdict(list)  # (consumer, name of the fact) → outcomes, or a function of the fact that answers them


def listener(name, loads=()):
    def consume(fact, work, *, now):
        heard.append((name, fact))
        found = reactions[name, fact.name]
        return found(fact) if callable(found) else iter(found)

    return Consumer(loads=lambda catalog, events: loads if events else loads[:1], consume=consume)


FIRST = listener("first", loads=[Load(LedgerEntry, "number", (1, 2)), Load(IdempotencyKey, "key", ("k",))])
SECOND = listener("second", loads=[Load(LedgerEntry, "number", (2, 3))])
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


def change(name, key=None):
    return Change(name, "ada", {"of": name}, key or name)


def cheer(work, participant, grant):
    return [Granted("badge", f"Cheer {grant.spec.get('n', '')}", grant.source, code="cheer")]


def test_every_consumer_hears_every_fact_in_the_order_of_the_settings(work):
    process(work, [fact(work, "one"), fact(work, "two")], now=NOW)

    assert [(name, fact.name) for name, fact in heard] == [
        ("first", "one"),
        ("second", "one"),
        ("first", "two"),
        ("second", "two"),
    ]


def test_what_is_granted_is_answered_in_order(work, kind):
    kind("cheer", cheer)
    found = Granted("points", "Points", RULE, code="points", amount=5)
    reactions["first", "purchase"] = [grant("1", n=1), found]
    reactions["second", "purchase"] = [grant("2", n=2)]

    granted = process(work, [fact(work)], now=NOW)

    assert [given.name for given in granted] == ["Cheer 1", "Points", "Cheer 2"]


def test_a_kind_is_told_whom_it_is_given_to_and_what_it_came_of(work, kind):
    given = []
    kind("cheer", lambda *told: given.append(told) or ())
    reactions["first", "purchase"] = [grant(n=1)]

    process(work, [fact(work, properties={"amount": 5})], now=NOW)

    [(given_work, participant, told)] = given
    assert (given_work, participant) == (work, work.participant("ada"))
    assert (told.spec, told.source, told.key) == ({"type": "cheer", "n": 1}, RULE, "1")
    assert (told.event_id, told.properties) == (EVENT_ID, {"amount": 5})


def test_a_change_is_heard_after_everything_that_happened_before_it(work):
    reactions["first", "one"] = [change("tier.upgraded")]

    process(work, [fact(work, "one"), fact(work, "two")], now=NOW)

    assert [fact.name for name, fact in heard if name == "second"] == ["one", "two", "tier.upgraded"]
    _, last = heard[-1]
    assert (last.is_change, last.depth, last.at, last.event_id) == (True, 1, NOW, EVENT_ID)
    assert (last.properties, last.key, last.participant) == (
        {"of": "tier.upgraded"},
        "tier.upgraded",
        work.participant("ada"),
    )


def test_a_client_may_call_an_event_like_a_change_and_it_is_none(work):
    process(work, [fact(work, "tier.upgraded")], now=NOW)

    assert [fact.is_change for _, fact in heard] == [False, False]


def test_what_a_grant_changes_is_heard_too(work, kind):
    kind("cheer", lambda work, participant, grant: [change("badge.awarded"), *cheer(work, participant, grant)])
    reactions["second", "purchase"] = [grant()]

    granted = process(work, [fact(work)], now=NOW)

    assert [fact.name for name, fact in heard if name == "first"] == ["purchase", "badge.awarded"]
    assert [given.name for given in granted] == ["Cheer "]


@pytest.mark.parametrize("make", [grant, lambda key: change("tier.upgraded", key)])
def test_nothing_comes_twice_under_one_key_in_a_unit(work, kind, make):
    kind("cheer", cheer)
    reactions["first", "purchase"] = [make("same"), make("same"), make("other")]
    reactions["second", "purchase"] = [make("same")]

    granted = [given for _ in range(3) for given in process(work, [fact(work)], now=NOW)]

    changes = [fact for name, fact in heard if name == "first" and fact.is_change]
    assert len(granted) + len(changes) == 2


def test_a_key_belongs_to_its_participant(work, kind):
    kind("cheer", cheer)

    granted = [settle(work, work.participant(name), [grant("same")], now=NOW) for name in ("ada", "bob", "ada")]

    assert [len(given) for given in granted] == [1, 1, 0]


def test_a_chain_ends_after_five_facts_and_the_log_says_so(work):
    reactions["first", "again"] = lambda fact: [change("again", f"{fact.key}+")]

    with capture_logs() as logs:
        process(work, [fact(work, "again")], now=NOW)

    assert [fact.depth for name, fact in heard if name == "first"] == list(range(MAX_DEPTH)) == [0, 1, 2, 3, 4]
    assert [(log["event"], log["depth"]) for log in logs] == [("chain_cut", 5)]


def test_definitions_that_set_off_each_other_come_to_an_end(work):
    reactions["first", "again"] = lambda fact: [change("again", f"{fact.key}+{number}") for number in range(20)]

    with capture_logs() as logs:
        process(work, [fact(work, "again")], now=NOW)

    assert len([fact for name, fact in heard if name == "first" and fact.is_change]) == MAX_OUTCOMES
    assert {log["event"] for log in logs} == {"chain_cut"}


def test_a_kind_that_grants_itself_comes_to_an_end(work, kind):
    kind("cheer", lambda work, participant, given: [*cheer(work, participant, given), grant(f"{given.key}+")])

    assert len(settle(work, work.participant("ada"), [grant()], now=NOW)) == MAX_OUTCOMES


def test_an_unknown_kind_is_logged_and_left_out(work, kind):
    kind("cheer", cheer)
    reactions["first", "purchase"] = [grant("1", kind="gone"), grant("2")]

    with capture_logs() as logs:
        granted = process(work, [fact(work)], now=NOW)

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
        granted = process(work, [fact(work)], now=NOW)

    assert len(granted) == 1
    assert [(log["event"], log["kind"], log["refusal"]) for log in logs] == [("grant_refused", "empty", "out_of_stock")]


def test_a_consumer_that_refuses_is_a_bug_that_is_not_taken_for_a_refusal(work):
    def refuse(fact):
        raise DomainError("no")

    reactions["second", "purchase"] = refuse

    with pytest.raises(RuntimeError, match="consumers must not"):
        process(work, [fact(work)], now=NOW)


def test_a_use_case_without_an_event_settles_what_it_led_to(work, kind):
    given = []
    kind("cheer", lambda work, participant, grant: given.append(grant) or cheer(work, participant, grant))
    reactions["first", "streak.milestone_reached"] = [grant("2", n=2)]

    granted = settle(work, work.participant("ada"), [change("streak.milestone_reached"), grant("1", n=1)], now=NOW)

    assert [given.name for given in granted] == ["Cheer 1", "Cheer 2"]
    assert [fact.depth for name, fact in heard if name == "first"] == [1]
    assert {(grant.event_id, *grant.properties) for grant in given} == {(None,), (None, "of")}


@pytest.mark.django_db
def test_loads_of_all_consumers_are_one_question_per_table(tenant):
    event = EventInput("ada", "purchase", NOW)

    assert loads_for(catalog_of(tenant), [event]) == [
        Load(LedgerEntry, "number", (1, 2, 3)),
        Load(IdempotencyKey, "key", ("k",)),
    ]
    assert loads_for(catalog_of(tenant)) == [Load(LedgerEntry, "number", (1, 2, 3))]


@pytest.mark.django_db
def test_loads_of_grants_are_asked_of_their_kinds(tenant, kind):
    def loads(catalog, specs):
        return [Load(LedgerEntry, "number", tuple(spec["n"] for spec in specs))]

    kind("cheer", cheer, loads=loads)
    kind("plain", cheer)
    specs = [{"type": "cheer", "n": 1}, {"type": "plain"}, {"type": "gone"}, {"type": "cheer", "n": 4}]

    assert loads_of_grants(catalog_of(tenant), specs) == [Load(LedgerEntry, "number", (1, 4))]
    assert loads_of_grants(catalog_of(tenant), specs[1:3]) == []


NOT_ONE = FieldError("n", "must be 1")


@pytest.mark.django_db
def test_a_definitions_grant_is_judged_by_its_kind(tenant, kind):
    kind("cheer", cheer, problem=lambda judge, spec: None if (judge, spec["n"]) == (tenant, 1) else NOT_ONE)

    assert grant_problem(tenant, {"type": "cheer", "n": 1}) is None
    assert grant_problem(tenant, {"type": "cheer", "n": 2}) == NOT_ONE
    for unknown in ({}, {"type": "gone"}, {"type": None}, {"type": ["cheer"]}):
        problem = grant_problem(tenant, unknown)
        assert (problem.field, problem.message) == ("type", "must be one of: cheer")


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
            Granted("points", "Points", RULE, code="points", amount=10),
            {
                "type": "points",
                "code": "points",
                "name": "Points",
                "amount": 10,
                "source": {"type": "rule", "code": "welcome"},
            },
        ),
        (
            Granted("reward", "Mug", RULE, id=EVENT_ID),
            {"type": "reward", "id": str(EVENT_ID), "name": "Mug", "source": {"type": "rule", "code": "welcome"}},
        ),
    ],
)
def test_how_an_answer_tells_of_what_was_granted(granted, told):
    assert granted.told() == told
