"""The linter of rules."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from gamify.facts.services import grant_kinds
from gamify.rules.selectors import findings, static_findings
from participants.events import event_types
from tests.factories import BadgeFactory, RuleFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
POINTS = [{"type": "points", "amount": 10}]


def ask(field, operator, value):
    return {"condition": {"field": field, "operator": operator, "value": value}}


def badge(code):
    return [{"type": "badge", "code": code}]


def findings_of(tenant, **given):
    return [(each.rule.code, each.level, each.field, each.message) for each in findings(tenant, now=NOW, **given)]


def run(*args):
    out = StringIO()
    call_command("lint_rules", *args, stdout=out)
    return out.getvalue()


def test_a_good_rule_has_no_findings(tenant):
    BadgeFactory(tenant=tenant, code="vip")
    RuleFactory(tenant=tenant, expression=ask("amount", "gte", 10), grants=[*POINTS, *badge("vip")], limits={"ever": 1})

    assert findings_of(tenant) == []


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"limits": {"ever": 0}}, ("error", "limits.ever", "is 0: it never fires")),
        ({"limits": {"per_day": 0}}, ("error", "limits.per_day", "is 0: it never fires")),
        ({"limits": {"per_week": 0}}, ("error", "limits.per_week", "is 0: it never fires")),
        (
            {"expression": {"and": [ask("n", "gte", 10), ask("n", "lt", 5)]}},
            ("error", "when.expression", "contradicts itself: it never fires"),
        ),
        (
            {"expression": {"xor": []}},
            (
                "error",
                "when.expression",
                "cannot be read: xor: is not a known key; did you mean or?",
            ),
        ),
        ({"ends_at": NOW}, ("warning", "ends_at", "ended on 2026-02-14 10:00 UTC")),
        ({"starts_at": NOW + timedelta(days=1)}, ("note", "starts_at", "begins on 2026-02-15 10:00 UTC")),
        ({"grants": [*POINTS, *badge("gone")]}, ("error", "then.1.code", "must be the code of an active badge")),
        ({"grants": [{"type": "surprise"}]}, ("error", "then.0.type", ...)),
    ],
)
def test_findings_about_a_single_rule(tenant, fields, found):
    BadgeFactory(tenant=tenant, code="gone", is_active=False)
    RuleFactory(tenant=tenant, code="bad", **fields)

    ((rule, level, field, message),) = findings_of(tenant)

    assert (rule, level, field) == ("bad", *found[:2])
    assert found[2] in (message, ...)


def test_a_schedule_that_applies_now_is_no_finding(tenant):
    RuleFactory(tenant=tenant, starts_at=NOW, ends_at=NOW + timedelta(seconds=1))

    assert findings_of(tenant) == []


def loops(tenant):
    return [(rule, level, message) for rule, level, field, message in findings_of(tenant) if field == "then"]


def test_a_rule_that_triggers_itself_without_end_is_an_error(tenant):
    RuleFactory(tenant=tenant, code="loop", changes=["points.awarded"])

    assert loops(tenant) == [("loop", "error", "triggers itself until the pipeline cuts the chain: loop → loop")]


@pytest.mark.parametrize("fields", [{"limits": {"per_day": 3}}, {"grants": badge("vip"), "changes": ["badge.awarded"]}])
def test_a_loop_that_ends_is_a_warning(tenant, fields):
    BadgeFactory(tenant=tenant, code="vip")
    RuleFactory(tenant=tenant, code="loop", **{"changes": ["points.awarded"], **fields})

    assert loops(tenant) == [
        (
            "loop",
            "warning",
            "triggers itself until a limit, a condition, or something that is given only once, stops it: loop → loop",
        )
    ]


def test_a_loop_over_several_rules_is_reported_for_each_of_them(tenant):
    TierFactory(tenant=tenant, code="gold")
    gold = [{"type": "tier", "code": "gold"}]
    RuleFactory(tenant=tenant, code="a", grants=gold)
    RuleFactory(tenant=tenant, code="b", changes=["tier.assigned"], expression=ask("tier.code", "eq", "gold"))
    RuleFactory(tenant=tenant, code="c", changes=["points.awarded"], grants=gold)
    RuleFactory(tenant=tenant, code="d", changes=["tier.assigned"], expression=ask("tier.code", "eq", "silver"))

    assert [(rule, message.partition(": ")[2]) for rule, _, message in loops(tenant)] == [
        ("b", "b → c → b"),
        ("c", "c → b → c"),
    ]


def test_an_endless_loop_is_reported_before_one_that_ends(tenant):
    BadgeFactory(tenant=tenant, code="vip")
    both = ["badge.awarded", "points.awarded"]
    RuleFactory(tenant=tenant, code="a", changes=both, grants=badge("vip"))
    RuleFactory(tenant=tenant, code="b", changes=["points.awarded"], grants=[*badge("vip"), *POINTS])

    assert [(rule, level) for rule, level, _ in loops(tenant)] == [("a", "warning"), ("b", "error")]


def test_ended_and_inactive_rules_trigger_nothing(tenant):
    RuleFactory(tenant=tenant, code="over", changes=["points.awarded"], ends_at=NOW)
    RuleFactory(tenant=tenant, code="off", changes=["points.awarded"], is_active=False)

    assert loops(tenant) == []


def test_an_inactive_rule_is_examined_on_request(tenant):
    off = RuleFactory(tenant=tenant, code="off", changes=["points.awarded"], is_active=False, limits={"ever": 0})

    assert [(rule, field) for rule, _, field, _ in findings_of(tenant, rules=[off])] == [
        ("off", "limits.ever"),
        ("off", "then"),
    ]


def test_static_findings_take_one_query_and_do_not_check_grants(tenant, queries):
    for number in range(5):
        RuleFactory(tenant=tenant, grants=badge(f"gone_{number}"), limits={"ever": 0})

    with queries(1):
        found = static_findings(tenant, now=NOW)

    assert [each.field for each in found] == ["limits.ever"] * 5


def test_rules_of_other_tenants_are_ignored(tenant, other_tenant):
    RuleFactory(tenant=other_tenant, code="theirs", changes=["points.awarded"])
    RuleFactory(tenant=tenant, code="ours")

    assert findings_of(tenant) == []


def test_every_grant_kind_names_registered_changes_and_their_fields():
    for kind in grant_kinds.values():
        assert kind.leads_to
        for change, code_path in kind.leads_to.items():
            assert change in event_types
            assert code_path is None or code_path.partition(".")[0] in event_types[change].fields


# --- the command ------------------------------------------------------------------------------------------------------


def test_the_command_reports_findings_and_exits_with_1_on_errors(tenant, other_tenant):
    RuleFactory(tenant=tenant, code="bad", limits={"ever": 0})
    RuleFactory(tenant=tenant.sandbox, code="over", ends_at=NOW)
    RuleFactory(tenant=other_tenant, code="theirs", limits={"ever": 0})
    out = StringIO()

    with pytest.raises(SystemExit) as stopped:
        call_command("lint_rules", "--tenant", "acme", stdout=out)

    assert stopped.value.code == 1
    assert out.getvalue().splitlines() == [
        "error: acme live, rule bad: limits.ever: is 0: it never fires",
        "warning: acme sandbox, rule over: ends_at: ended on 2026-02-14 10:00 UTC",
        "errors    1",
        "warnings  1",
        "notes     0",
    ]


def test_the_command_examines_all_tenants_and_prints_one_object(tenant, other_tenant):
    RuleFactory(tenant=other_tenant, code="over", ends_at=NOW)

    printed = json.loads(run("--json"))

    assert printed == {
        "errors": 0,
        "warnings": 1,
        "notes": 0,
        "findings": [
            {
                "tenant": "globex",
                "environment": "live",
                "rule": "over",
                "level": "warning",
                "field": "ends_at",
                "message": "ended on 2026-02-14 10:00 UTC",
            }
        ],
    }


def test_an_unknown_tenant_is_refused(db):
    with pytest.raises(CommandError, match="nobody"):
        run("--tenant", "nobody")
