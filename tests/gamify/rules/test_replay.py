"""What if: rules are played over past events."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from gamify.rules.engine.replaying import MAX_SHARES, Share, Side, Totals
from gamify.rules.selectors import replay, replaying
from tests.factories import EventFactory, ParticipantFactory, RuleFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
SINCE = NOW - timedelta(days=30)
BIG = {"condition": {"field": "amount", "operator": "gte", "value": 100}}


def happened(participant, *amounts, name="purchase", at=NOW - timedelta(days=1), **fields):
    for step, amount in enumerate(amounts):
        EventFactory(
            participant=participant,
            name=name,
            properties={"amount": amount},
            occurred_at=at + timedelta(minutes=step),
            **fields,
        )


def played(tenant, *rules, **given):
    return replay(tenant, rules, since=SINCE, now=NOW, **given)


@pytest.fixture
def ada(tenant):
    return ParticipantFactory(tenant=tenant, external_id="ada")


@pytest.fixture
def bob(tenant):
    return ParticipantFactory(tenant=tenant, external_id="bob", attributes={"plan": "pro"})


def draft(tenant, **fields):
    """A rule that was never saved."""
    return RuleFactory.build(tenant=tenant, **{"code": "draft", **fields})


def test_a_draft_is_played_over_past_events(tenant, ada, bob, nothing_written):
    happened(ada, 50, 100, 200)
    happened(bob, 300)
    happened(bob, 900, name="refund")
    rule = draft(tenant, expression=BIG, grants=[{"type": "points", "field": "amount"}, {"type": "badge", "code": "x"}])

    with nothing_written():
        result = played(tenant, rule)

    (one,) = result.rules
    assert one.totals == Totals(matched=3, fired=3, limited=0, points=600, participants=2)
    assert one.active is None
    assert one.gain.largest == [Share("ada", 300), Share("bob", 300)]
    assert (one.gain.participants, one.gain.points, one.loss.participants) == (2, 600, 0)
    assert (result.participants, result.events, result.is_cut) == (2, 4, False)


def test_reversed_events_are_not_played(tenant, ada):
    happened(ada, 50)
    happened(ada, 100, reversed_at=NOW, reversal={"reason": None, "undone": []})

    (one,) = played(tenant, draft(tenant)).rules

    assert one.totals.fired == 1


def test_limits_are_per_participant_and_use_the_time_of_the_event(tenant, ada, bob):
    for participant in (ada, bob):
        happened(participant, 1, 1, 1, at=NOW - timedelta(days=2))
        happened(participant, 1, at=NOW - timedelta(days=4))

    (one,) = played(tenant, draft(tenant, limits={"per_day": 2})).rules

    assert one.totals == Totals(matched=8, fired=6, limited=2, points=60, participants=2)


def test_events_are_played_in_the_order_in_which_they_happened(tenant, ada):
    late, early = NOW - timedelta(days=1), NOW - timedelta(days=3)
    happened(ada, 7, at=late)
    happened(ada, 500, at=early)

    (one,) = played(tenant, draft(tenant, grants=[{"type": "points", "field": "amount"}], limits={"ever": 1})).rules

    assert one.totals.points == 500


def test_days_begin_in_the_tenants_zone(tenant, ada):
    tenant.timezone = "America/New_York"
    happened(ada, 1, at=datetime(2026, 2, 10, 23, tzinfo=UTC))
    happened(ada, 1, at=datetime(2026, 2, 11, 4, 59, tzinfo=UTC))

    (one,) = played(tenant, draft(tenant, limits={"per_day": 1})).rules

    assert one.totals.limited == 1


def test_only_events_in_the_period_are_played(tenant, ada):
    for at in (SINCE - timedelta(seconds=1), SINCE, NOW - timedelta(seconds=1), NOW):
        happened(ada, 1, at=at)

    assert played(tenant, draft(tenant)).events == 2


def test_a_draft_is_compared_with_the_active_version_of_its_code(tenant, ada, bob):
    RuleFactory(tenant=tenant, code="buy", grants=[{"type": "points", "amount": 10}], limits={"ever": 2})
    happened(ada, 1, 1, 1)
    happened(bob, 1)
    changed = draft(tenant, code="buy", grants=[{"type": "points", "amount": 12}], limits={"ever": 1})

    (one,) = played(tenant, changed).rules

    assert one.active == Totals(matched=4, fired=3, limited=1, points=30, participants=2)
    assert one.totals == Totals(matched=4, fired=2, limited=2, points=24, participants=2)
    assert one.gain.largest == [Share("bob", 2)]
    assert one.loss.largest == [Share("ada", -8)]
    assert (one.gain.points, one.loss.points) == (2, 8)


def test_an_inactive_version_is_not_compared(tenant, ada):
    happened(ada, 1)
    rule = RuleFactory(tenant=tenant, code="buy", is_active=False)

    assert played(tenant, rule).rules[0].active is None


def test_schedules_are_ignored_and_changes_are_named(tenant, ada):
    happened(ada, 1)
    rule = draft(tenant, starts_at=NOW + timedelta(days=1), changes=["tier.upgraded", "badge.awarded"])

    (one,) = played(tenant, rule).rules

    assert one.totals.fired == 1
    assert one.changes_not_played == ["badge.awarded", "tier.upgraded"]


def test_several_rules_are_played_at_once(tenant, ada):
    happened(ada, 1, name="a")
    happened(ada, 1, 1, name="b")
    rules = [draft(tenant, code=name, event_types=[name]) for name in ("a", "b")] + [draft(tenant, event_types=["*"])]

    assert [one.totals.fired for one in played(tenant, *rules).rules] == [1, 2, 3]


def test_another_tenants_events_and_rules_are_not_played(tenant, other_tenant, ada):
    happened(ParticipantFactory(tenant=other_tenant, external_id="ada"), 1)
    RuleFactory(tenant=other_tenant, code="draft")

    result = played(tenant, draft(tenant))

    assert result.events == 0
    assert result.rules[0].active is None


@pytest.mark.parametrize(("most", "looked_at", "is_cut"), [(0, 0, True), (2, 2, True), (3, 3, False), (4, 3, False)])
def test_the_number_of_events_can_be_limited_and_the_report_says_so(tenant, ada, bob, most, looked_at, is_cut):
    happened(ada, 1, 1)
    happened(bob, 1)

    result = played(tenant, draft(tenant), max_events=most)

    assert (result.events, result.is_cut, result.rules[0].totals.fired) == (looked_at, is_cut, looked_at)


@pytest.mark.parametrize(("people", "page"), [(1, 1), (2, 2), (3, 3), (100, 4)])
def test_chunks_and_pages_neither_lose_nor_repeat_events(tenant, monkeypatch, people, page):
    monkeypatch.setattr(replaying, "PARTICIPANTS_PER_CHUNK", people)
    monkeypatch.setattr(replaying, "EVENTS_PER_PAGE", page)
    for number in range(5):
        participant = ParticipantFactory(tenant=tenant)
        for at in (SINCE, SINCE, SINCE, NOW - timedelta(days=number)):
            happened(participant, 1, at=at - timedelta(seconds=at == NOW))
    seen = []

    result = played(tenant, draft(tenant, limits={"ever": 3}), on_progress=lambda *call: seen.append(call))

    assert result.rules[0].totals == Totals(matched=20, fired=15, limited=5, points=150, participants=5)
    assert tuple(map(sum, zip(*seen, strict=True))) == (5, 20)


def test_queries_do_not_grow_with_participants(tenant, queries):
    for _ in range(20):
        happened(ParticipantFactory(tenant=tenant), 1, 1)

    with queries(4):  # active versions; a chunk of participants, its events, and no further chunk
        played(tenant, draft(tenant))


@given(st.lists(st.integers(-50, 50), max_size=80))
def test_the_largest_differences_are_those_of_all_participants(amounts):
    gain = Side(sign=1)
    for number, amount in enumerate(amounts):
        gain.add(f"user_{number}", amount)

    gains = sorted((amount for amount in amounts if amount > 0), reverse=True)
    assert [share.points for share in gain.largest] == gains[:MAX_SHARES]
    assert (gain.participants, gain.points) == (len(gains), sum(gains))


# --- the command ------------------------------------------------------------------------------------------------------


def run(*args, stderr=None):
    out = StringIO()
    call_command("replay_rules", "--tenant", "acme", "--rule", "buy", *args, stdout=out, stderr=stderr)
    return out.getvalue()


def test_the_command_reports_who_would_gain_and_who_would_lose(tenant, ada, tmp_path, nothing_written):
    RuleFactory(tenant=tenant, code="buy")
    happened(ada, 1, 1, at=timezone.now() - timedelta(days=2))
    happened(ada, 1, at=timezone.now() - timedelta(days=40))
    changes = tmp_path / "changes.json"
    changes.write_text(json.dumps({"then": [{"type": "points", "amount": 4}], "limits": {"ever": 1}}))

    with nothing_written():
        printed = json.loads(run("--changes", str(changes), "--json"))

    assert printed == {
        "rule": "buy",
        "participants_looked_at": 1,
        "events_looked_at": 2,
        "is_cut": False,
        "matched": 2,
        "fired": 1,
        "limited": 1,
        "points": 4,
        "participants": 1,
        "active": {"matched": 2, "fired": 2, "limited": 0, "points": 20, "participants": 1},
        "participants_who_gain": 0,
        "points_they_gain": 0,
        "who_gain_most": [],
        "participants_who_lose": 1,
        "points_they_lose": 16,
        "who_lose_most": [{"participant_id": "ada", "points": -16}],
        "changes_not_played": [],
    }
    assert "ada -16" in run("--changes", str(changes))
    assert json.loads(run("--days", "60", "--json"))["fired"] == 3
    assert json.loads(run("--days", "60", "--max-events", "1", "--json"))["is_cut"] is True


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ('{"limits": {"ever": -1}}', "limits.ever: must not be negative"),
        ('{"limits": {"evr": 1}}', r"limits.evr: is not a known key; did you mean ever\?"),
        ('{"when": {"event_type": ["a"]}}', r"when.event_type: is not a known key; did you mean event_types\?"),
        ('{"then": [{"type": "points", "amonut": 4}]}', r"then.0.amonut: is not a known key; did you mean amount\?"),
        ("[", "Expecting value"),
        ("[]", "is not a JSON object"),
        ('{"limits": {"ever": 1}, "limits": {}}', 'the key "limits" appears more than once'),
        ('{"name": "\\u0000"}', "name: Must not contain NUL characters"),
        ("\ufeff[]", "is not a JSON object"),
        (b"\xff", "is not UTF-8"),
        ("[" * 100_000, "nested too deep"),
        (None, "No such file"),
    ],
)
def test_invalid_changes_are_refused(tenant, tmp_path, written, message):
    RuleFactory(tenant=tenant, code="buy")
    changes = tmp_path / "changes.json"
    if written is not None:
        changes.write_bytes(written if isinstance(written, bytes) else written.encode())

    with pytest.raises(CommandError, match=message):
        run("--changes", str(changes))


def test_a_field_of_the_changes_that_was_ignored_is_named(tenant, tmp_path):
    RuleFactory(tenant=tenant, code="buy")
    changes, stderr = tmp_path / "changes.json", StringIO()
    changes.write_text('{"limit": {"ever": 1}}')

    run("--changes", str(changes), stderr=stderr)

    assert stderr.getvalue().endswith("limit: is not a known field and was ignored; did you mean limits?\n")


def test_an_unknown_rule_and_no_days_are_refused(tenant, other_tenant):
    RuleFactory(tenant=other_tenant, code="buy")

    with pytest.raises(CommandError, match="Rule not found: buy"):
        run()
    with pytest.raises(CommandError, match="--days"):
        run("--days", "0")
