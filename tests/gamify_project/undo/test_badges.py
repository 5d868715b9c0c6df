"""Badges that criteria earned are checked again after an undo, whoever did what earned them."""

import pytest
from django.core.management import call_command

from gamify.badges.models import BadgeAward
from gamify.rules.models import Rule
from participants.models import DomainEvent
from tests.factories import BadgeFactory
from tests.gamify_project.undo.worlds import World, done

ADA = {"participant_id": "ada"}
BUY = ADA | {"event_name": "buy"}
REVERSED = {"waiting": 0, "reversed": 1, "kept": 0}


@pytest.fixture
def world(tenant):
    return World(tenant)


def badges(who="ada"):
    held = BadgeAward.objects.filter(participant__external_id=who)
    return sorted(held.values_list("badge__code", flat=True))


def test_a_badge_that_another_keys_event_earned_together_with_the_cause_goes(world):
    done(world.a.post("/events", BUY))
    done(world.b.post("/events", BUY))
    assert badges() == ["shopper"]

    report = world.undo()

    assert badges() == []
    assert report["by_type"] == {"badge": REVERSED, "event": REVERSED}
    assert DomainEvent.objects.filter(type="badge.revoked").count() == 1
    call_command("verify_ledger", "--tenant", "acme", "--json")


def test_a_badge_that_an_event_of_the_cause_earned_goes_although_newer_points_kept_it_at_first(world):
    done(world.a.post("/points/award", ADA | {"amount": 490}))
    done(world.a.post("/events", BUY))
    done(world.b.post("/points/award", ADA | {"amount": 30}))
    assert badges() == ["rich"]

    report = world.undo()

    assert badges() == []
    assert (report["by_type"]["badge"], report["kept"]) == (REVERSED, 0)


def test_a_badge_that_the_rest_earns_stays_and_is_not_in_the_report(world):
    done(world.b.post("/points/award", ADA | {"amount": 500}))
    done(world.b.post("/badges/award", ADA | {"badge_code": "gift"}))
    done(world.a.post("/points/award", ADA | {"amount": 1}))

    report = world.undo()

    assert badges() == ["gift", "rich"]
    assert report["by_type"] == {"points": REVERSED}


def test_a_badge_of_a_participant_whom_the_undo_does_not_touch_is_not_checked(world):
    done(world.b.post("/points/award", {"participant_id": "bob", "amount": 500}))
    BadgeFactory._meta.model.objects.filter(code="rich").update(criteria={"metric": "total_earned", "min": 900})
    done(world.a.post("/points/award", ADA | {"amount": 1}))

    report = world.undo()

    assert badges("bob") == ["rich"]
    assert report["by_type"] == {"points": REVERSED}


def test_a_badge_whose_criteria_were_not_met_before_the_undo_is_kept_with_the_reason(world):
    done(world.b.post("/points/award", ADA | {"amount": 500}))
    done(world.a.post("/points/award", ADA | {"amount": 10}))
    rich = next(each for each in done(world.operator.get("/admin/badges"))["items"] if each["code"] == "rich")
    done(world.operator.patch(f"/admin/badges/{rich['id']}", {"criteria": {"metric": "total_earned", "min": 900}}))

    report = world.undo()

    assert badges() == ["rich"]
    assert world.kept(report["id"]) == [
        (
            "badge",
            "ada",
            "Its criteria were not met before the undo either, so they do not say whether the cause earned it",
        )
    ]


def test_badges_that_count_badges_are_checked_together_with_them(world):
    collector = {"code": "collector", "name": "Collector", "criteria": {"metric": "badges_count", "min": 2}}
    done(world.operator.post("/admin/badges", collector))
    done(world.a.post("/events", BUY))
    done(world.b.post("/events", BUY))
    done(world.b.post("/badges/award", ADA | {"badge_code": "gift"}))
    assert badges() == ["collector", "gift", "shopper"]

    report = world.undo()

    assert badges() == ["gift"]
    assert report["by_type"]["badge"] == {"waiting": 0, "reversed": 2, "kept": 0}


def test_badges_that_the_points_of_a_rule_earned_go_with_the_rule(world):
    rule = Rule.objects.get(code="thanks")
    done(world.operator.patch(f"/admin/rules/{rule.pk}", {"then": [{"type": "points", "amount": 600}]}))
    done(world.b.post("/events", BUY))
    assert badges() == ["rich"]

    world.undo(cause={"kind": "definition", "id": "rule:thanks"})

    assert badges() == []


def test_a_dry_run_reports_the_same_badges(world):
    done(world.a.post("/events", BUY))
    done(world.b.post("/events", BUY))
    done(world.b.post("/points/award", ADA | {"amount": 600}))

    preview = world.undo(dry_run=True)

    assert badges() == ["rich", "shopper"]
    real = world.undo()
    assert badges() == ["rich"]
    assert preview["by_type"] == real["by_type"] == {"badge": REVERSED, "event": REVERSED}
