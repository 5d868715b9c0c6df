"""Pending claims are served before any later request, in the transaction that brings the stock."""

from functools import partial

import pytest
from django.core.management import call_command

from gamify.facts.services import reverse_event
from gamify.points.models import LedgerEntry
from participants.models import DomainEvent
from rewards import tasks
from rewards.models import Claim, Reward
from rewards.services import add_codes
from tests.client import refusal
from tests.console import Console
from tests.factories import ParticipantFactory, RuleFactory
from tests.rewards.conftest import NOW
from tests.rewards.test_claims_api import claim
from tests.rewards.test_console_codes import confirm
from tests.rewards.test_grants import buy, granting, reloaded

PATTERN = "SUMMER-####-????"


def statuses(reward):
    rows = Claim.objects.filter(reward_id=reward.pk).order_by("pk")
    return dict(rows.values_list("participant__external_id", "status"))


def codes_by_api(world):
    return world.admin_api.post(f"/admin/rewards/{world.reward.pk}/codes", {"codes": ["NEW"]})


def codes_by_csv(world):
    path = f"/admin/rewards/{world.reward.pk}/codes"
    return world.admin_api.post(path, b"code\nNEW\n", content_type="text/csv")


def codes_by_console(world):
    console = Console(world.tenant)
    page = console.post("rewards_reward_add_codes", world.reward.pk, codes="NEW")
    return confirm(console, world.reward, page)


def codes_by_command(world):
    path = world.tmp_path / "codes.csv"
    path.write_text("code\nNEW\n")
    call_command("import_codes", str(path), "--tenant", "acme", "--reward", world.reward.code, "--json")


def patched(world, **changes):
    return world.admin_api.patch(f"/admin/rewards/{world.reward.pk}", changes)


def edited(world, **changes):
    return Console(world.tenant).edit("rewards_reward_change", world.reward.pk, **changes)


def cancelled_by_api(world):
    return world.admin_api.post(f"/admin/claims/{world.first.pk}/cancel", {})


def cancelled_by_console(world):
    return Console(world.tenant).post("rewards_claim_cancel", world.first.pk, reason="Lost")


def payment_reversed(world):
    return world.admin_api.post(f"/admin/transactions/{world.first.entry_id}/reverse", {})


def event_reversed(world):
    return reverse_event(tenant=reloaded(world.tenant), event_id=str(world.event_id), reason=None, now=NOW)


NO_CODES = {"reward_type": "coupon", "codes": ["GONE"]}
ONE_PIECE = {"reward_type": "physical", "total_inventory": 1}
DOORS = {
    "codes by the API": (NO_CODES, codes_by_api, "no_codes_available"),
    "codes by CSV": (NO_CODES, codes_by_csv, "no_codes_available"),
    "codes in the console": (NO_CODES, codes_by_console, "no_codes_available"),
    "codes by the command": (NO_CODES, codes_by_command, "no_codes_available"),
    "inventory by PATCH": (ONE_PIECE, partial(patched, total_inventory=2), "out_of_stock"),
    "inventory in the console": (ONE_PIECE, partial(edited, total_inventory="2"), "out_of_stock"),
    "no limit by PATCH": (ONE_PIECE, partial(patched, total_inventory=None), None),
    "no limit in the console": (ONE_PIECE, partial(edited, total_inventory=""), None),
    "pattern by PATCH": (NO_CODES, partial(patched, code_pattern=PATTERN), None),
    "pattern in the console": (NO_CODES, partial(edited, code_pattern=PATTERN), None),
    "cancelled by the API": (ONE_PIECE, cancelled_by_api, "out_of_stock"),
    "cancelled in the console": (ONE_PIECE, cancelled_by_console, "out_of_stock"),
    "payment reversed": (ONE_PIECE, payment_reversed, "out_of_stock"),
    "event reversed": (ONE_PIECE, event_reversed, "out_of_stock"),
}


class World:
    """A reward whose only piece "first" has, with pending claims of "w" and then "v". `make_reward` creates the reward."""

    def __init__(self, tenant, admin_api, make_reward, tmp_path, fields):
        self.tenant, self.admin_api, self.tmp_path = tenant, admin_api, tmp_path
        self.reward = make_reward(points_cost=10, max_claims_per_user=2, **fields)
        granting(tenant, self.reward)

    def fill(self, api, *, is_bought):
        ParticipantFactory(tenant=self.tenant, external_id="first", points=10)
        self.event_id = None
        if is_bought:
            claim(api, self.reward, user="first", points_deduction=True)
        else:
            self.event_id = buy(self.tenant, "first").event_id
        self.first = Claim.objects.get()
        for user in ("w", "v"):
            buy(self.tenant, user)
        assert statuses(self.reward) == {"first": "claimed", "w": "pending", "v": "pending"}


@pytest.mark.parametrize("door", DOORS)
def test_every_way_to_bring_stock_serves_pending_claims_before_a_later_claim(
    api, admin_api, tenant, make_reward, tmp_path, nothing_written, door
):
    fields, bring, refused = DOORS[door]
    world = World(tenant, admin_api, make_reward, tmp_path, fields)
    world.fill(api, is_bought=door != "event reversed")

    bring(world)

    left = {name: status for name, status in statuses(world.reward).items() if name != "first"}
    assert left == {"w": "claimed", "v": "claimed" if refused is None else "pending"}
    if refused is None:
        assert claim(api, world.reward, user="n").status_code == 200
    else:
        with nothing_written():
            assert refusal(claim(api, world.reward, user="n"))[:2] == (400, refused)
    served = (
        DomainEvent.objects.filter(type="reward.claimed").order_by("pk").values_list("data__participant_id", flat=True)
    )
    assert list(served)[:2] == ["first", "w"]


@pytest.mark.parametrize("later", ["claim", "grant"])
def test_the_small_input_of_the_issue(api, admin_api, tenant, make_reward, later):
    reward = make_reward("Mug", total_inventory=0, max_claims_per_user=None)
    granting(tenant, reward)
    buy(tenant, "w")

    admin_api.patch(f"/admin/rewards/{reward.pk}", {"total_inventory": 1})

    if later == "claim":
        assert refusal(claim(api, reward, user="n"))[:2] == (400, "out_of_stock")
        assert statuses(reward) == {"w": "claimed"}
    else:
        buy(tenant, "n")
        assert statuses(reward) == {"w": "claimed", "n": "pending"}


def test_an_inactive_reward_serves_pending_claims_and_later_claims_come_after_them(api, admin_api, tenant, make_reward):
    reward = make_reward(codes=["GONE"])
    granting(tenant, reward)
    for user in ("first", "w"):
        buy(tenant, user)
    path = f"/admin/rewards/{reward.pk}"
    admin_api.patch(path, {"is_active": False})
    admin_api.post(f"{path}/codes", {"codes": ["NEW"]})
    assert statuses(reward)["w"] == "claimed"

    admin_api.patch(path, {"is_active": True, "max_claims_per_user": 5})

    assert refusal(claim(api, reward, user="n"))[:2] == (400, "no_codes_available")


def test_one_transaction_serves_a_limited_number_and_the_other_pending_claims_are_not_overtaken(
    api, admin_api, tenant, make_reward, monkeypatch, nothing_written
):
    monkeypatch.setattr("rewards.services.serving.CHUNK", 2)
    reward = make_reward(codes=["GONE"])
    granting(tenant, reward)
    for user in ("first", "a", "b", "c", "d", "e"):
        buy(tenant, user)

    add_codes(tenant=reloaded(tenant), reward_id=str(reward.pk), codes=list("ABCDEFGH"), now=NOW)

    assert statuses(reward) == {
        "first": "claimed", "a": "claimed", "b": "claimed", "c": "pending", "d": "pending", "e": "pending",
    }  # fmt: skip
    with nothing_written():
        assert refusal(claim(api, reward, user="n")) == (400, "out_of_stock", "Reward is out of stock")
    buy(tenant, "late")
    assert statuses(reward)["late"] == "pending"

    tasks.serve_waiting()

    assert set(statuses(reward).values()) == {"claimed"}
    values = Claim.objects.order_by("pk").values_list("participant__external_id", "code_value")
    assert list(values) == list(zip(["first", "a", "b", "c", "d", "e", "late"], ["GONE", *"ABCDEF"], strict=True))
    assert claim(api, reward, user="n").json()["code_value"] == "G"


def test_a_refused_change_serves_no_claim_and_writes_nothing(admin_api, tenant, make_reward, nothing_written):
    reward = make_reward(total_inventory=0)
    granting(tenant, reward)
    buy(tenant, "w")

    with nothing_written():
        answer = admin_api.patch(f"/admin/rewards/{reward.pk}", {"total_inventory": 5, "points_cost": -1})

    assert answer.status_code == 422


def test_the_answer_to_an_upload_counts_the_codes_that_are_left(admin_api, tenant, make_reward):
    reward = make_reward(codes=["GONE"])
    granting(tenant, reward)
    for user in ("first", "w"):
        buy(tenant, user)

    answer = admin_api.post(f"/admin/rewards/{reward.pk}/codes", {"codes": ["A", "B", "C"]}).json()

    assert (answer["added"], answer["available_codes"]) == (3, 2)
    assert Reward.objects.get().free_codes == 2


def test_rules_about_claims_give_to_served_participants(admin_api, tenant, make_reward):
    reward = make_reward(total_inventory=0)
    granting(tenant, reward)
    RuleFactory(
        tenant=tenant,
        code="thanks",
        event_types=[],
        changes=["reward.claimed"],
        grants=[{"type": "points", "amount": 7}],
    )
    buy(tenant, "w")

    admin_api.patch(f"/admin/rewards/{reward.pk}", {"total_inventory": 1})

    assert LedgerEntry.objects.get().participant.external_id == "w"


def test_a_reversed_event_that_frees_a_piece_triggers_rules_only_for_the_served_claim(tenant, make_reward):
    reward = make_reward(total_inventory=1)
    granting(tenant, reward)
    for change in ("reward.cancelled", "reward.claimed"):
        RuleFactory(
            tenant=tenant, code=change, event_types=[], changes=[change], grants=[{"type": "points", "amount": 7}]
        )
    event_id = buy(tenant, "first").event_id
    buy(tenant, "w")

    reverse_event(tenant=reloaded(tenant), event_id=str(event_id), reason=None, now=NOW)

    awards = LedgerEntry.objects.filter(type="award").order_by("pk")
    assert [entry.participant.external_id for entry in awards] == ["first", "w"]
