"""Tiers that an undo of a cause takes back."""

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction

from gamify.tiers.models import TierChange
from participants.ids import new_id
from participants.models import DomainEvent, Participant
from tests.factories import RuleFactory
from tests.gamify_project.undo.worlds import World, balance, done

ADA = {"participant_id": "ada"}


@pytest.fixture
def world(tenant):
    world = World(tenant)
    done(
        world.operator.post(
            "/admin/tiers", {"code": "platinum", "name": "Platinum", "level": 4, "award_type": "manual"}
        )
    )
    silver = {"code": "silver", "name": "Silver", "level": 2, "criteria_config": {"min_points": 100}}
    done(world.operator.post("/admin/tiers", silver))
    return world


def assign(api, code, who="ada"):
    done(api.post("/tiers/assign", {"participant_id": who, "tier_code": code, "reason": "r"}))


def ada():
    return Participant.objects.get(external_id="ada")


def test_all_tiers_of_the_cause_are_taken_back_down_to_the_one_before_them(world):
    assign(world.b, "bronze")
    assign(world.a, "gold")
    assign(world.a, "platinum")

    report = world.undo()

    assert ada().tier_code == "bronze"
    assert report["by_type"] == {"tier": {"waiting": 0, "reversed": 2, "kept": 0}}
    codes = TierChange.objects.oldest_first().values_list("code", flat=True)
    assert list(codes) == ["bronze", "gold", "platinum", "gold", "bronze"]
    call_command("verify_ledger", "--tenant", "acme", "--json")


def test_a_tier_stays_if_another_key_changed_it_since(world):
    assign(world.b, "bronze")
    assign(world.a, "gold")
    assign(world.b, "platinum")

    report = world.undo()

    assert ada().tier_code == "platinum"
    assert world.kept(report["id"]) == [
        ("tier", "ada", "The tier was changed again later, and that later change stays")
    ]


def test_a_tier_with_none_before_stays(world):
    assign(world.a, "gold")

    report = world.undo()

    assert ada().tier_code == "gold"
    assert world.kept(report["id"]) == [
        ("tier", "ada", "The participant had no tier before, and cannot be moved out of all tiers")
    ]


def test_a_tier_that_points_reached_stays(world):
    done(world.a.post("/points/award", ADA | {"amount": 100}))

    report = world.undo()

    assert ada().tier_code == "silver"
    assert [reason for type_name, _, reason in world.kept(report["id"]) if type_name == "tier"] == [
        "Points led to this tier, and losing points never lowers a tier. Assign another tier by hand if needed"
    ]


def test_after_an_undo_of_both_keys_nothing_is_taken_back_twice(world):
    assign(world.operator, "bronze")
    assign(world.b, "gold")
    assign(world.a, "platinum")

    world.undo()
    world.undo("b")
    again = world.undo("b")

    assert ada().tier_code == "bronze"
    assert world.kept(again["id"]) == [("tier", "ada", "This change of the tier was taken back already")]


def test_the_database_refuses_that_a_change_is_taken_back_twice(world):
    assign(world.b, "bronze")
    assign(world.a, "gold")
    world.undo()
    again = TierChange.objects.exclude(reverses_id=None).get()
    again.pk, again.number = new_id(), again.number + 1

    with pytest.raises(IntegrityError, match=r"taken_back_once|reverses_id"), transaction.atomic():
        again.save(force_insert=True)


def test_a_tier_that_was_deactivated_since_is_returned_to(world):
    assign(world.b, "bronze")
    assign(world.a, "gold")
    bronze = next(each for each in done(world.operator.get("/admin/tiers"))["items"] if each["code"] == "bronze")
    done(world.operator.patch(f"/admin/tiers/{bronze['id']}", {"is_active": False}))

    world.undo()

    assert ada().tier_code == "bronze"


@pytest.mark.parametrize("stores_the_flag", [True, False])
def test_a_tier_reached_by_points_counts_as_reached_by_points_again(world, stores_the_flag):
    done(world.b.post("/points/award", ADA | {"amount": 100}))
    assign(world.a, "gold")
    if not stores_the_flag:  # a row of an earlier release
        TierChange.objects.update(previous_is_manual=None)

    world.undo()

    assert (ada().tier_code, ada().tier_is_manual) == ("silver", False)
    assert TierChange.objects.get(number=3).how == "automatic"


@pytest.mark.parametrize("stores_the_flag", [True, False])
def test_a_tier_assigned_by_hand_counts_as_assigned_by_hand_again(world, stores_the_flag):
    assign(world.b, "bronze")
    assign(world.a, "gold")
    if not stores_the_flag:
        TierChange.objects.update(previous_is_manual=None)

    world.undo()

    assert (ada().tier_code, ada().tier_is_manual) == ("bronze", True)


def test_the_participant_is_not_seen_and_definitions_do_not_react(world):
    for change in ("tier.assigned", "tier.reverted", "reward.cancelled", "points.refunded", "points.reversed"):
        RuleFactory(tenant=world.tenant, event_types=[], changes=[change], grants=[{"type": "points", "amount": 1}])
    done(world.b.post("/points/award", ADA | {"amount": 50}))
    assign(world.b, "bronze")
    before = balance(world.b)
    assign(world.a, "gold")
    done(world.a.post(f"/rewards/{world.rewards['mug']}/claim", ADA | {"points_deduction": True}))
    done(world.a.post("/points/award", ADA | {"amount": 5}))
    seen_at = ada().last_seen_at

    report = world.undo()

    assert report["kept"] == 0
    assert balance(world.b) == before
    assert ada().last_seen_at == seen_at
    reverted = DomainEvent.objects.get(type="tier.reverted")
    assert reverted.data | {"participant_id": "ada"} == {
        "participant_id": "ada",
        "tier": {"code": "bronze", "name": "Bronze", "level": 1},
        "previous_tier": {"code": "gold", "name": "Gold", "level": 3},
        "reason": "Leaked",
    }
    assert DomainEvent.objects.filter(type="tier.assigned").count() == 2
