"""What an import changes: it adds, changes and archives, keeps the previous programme, and loses to a concurrent change."""

from datetime import UTC, datetime

import pytest
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.webhooks.models import Endpoint
from gamify_project.programme.faults import InvalidProgramme, ProgrammeChanged
from gamify_project.programme.items import Key, programme_text
from gamify_project.programme.models import PreviousProgramme
from gamify_project.programme.services import NoPreviousProgramme, apply_plan, plan_rollback
from participants.catalog import catalog_of
from participants.models import Tenant
from rewards.models import Reward
from streaks.models import Status, Streak
from tests.factories import BadgeAwardFactory, BadgeFactory, ParticipantFactory, TenantFactory
from tests.gamify_project.programme.worlds import EVERYTHING, imported, planned, rows_of
from tests.threads import all_at_once

pytestmark = pytest.mark.django_db

NOW = datetime(2026, 12, 1, tzinfo=UTC)
ONE_BADGE = "version: 1\nbadges:\n  - {code: a, name: A}\n"
TWO_BADGES = "version: 1\nbadges:\n  - {code: a, name: A}\n  - {code: b, name: B}\n"


def test_a_plan_tells_what_is_added_changed_and_archived(tenant):
    badge = BadgeFactory(tenant=tenant, code="a", name="Old")
    BadgeFactory(tenant=tenant, code="gone")
    BadgeAwardFactory(badge=badge, participant=ParticipantFactory(tenant=tenant))
    plan = planned(tenant, TWO_BADGES, prunes=True).counted()

    assert [(change.action, change.key.identity, change.affected) for change in plan.changes] == [
        ("changed", "a", 1),
        ("added", "b", 0),
        ("archived", "gone", 0),
    ]
    assert (plan.changes[0].before, plan.changes[0].after) == ({"name": "Old"}, {"name": "A"})


def test_definitions_that_the_file_lacks_stay_without_prune(tenant):
    BadgeFactory(tenant=tenant, code="stays")
    imported(tenant, ONE_BADGE)

    assert Badge.objects.of(tenant).active().count() == 2


def test_pruned_streaks_are_archived_and_other_definitions_deactivated(tenant):
    imported(tenant, EVERYTHING)
    imported(tenant, "version: 1\n", prunes=True)

    assert set(Streak.objects.of(tenant).values_list("status", flat=True)) == {Status.ARCHIVED}
    assert not Badge.objects.of(tenant).active().exists()
    assert planned(tenant, "version: 1\n", prunes=True).changes == []


def test_a_field_that_the_file_lacks_gets_its_default(tenant):
    BadgeFactory(tenant=tenant, code="a", name="A", description="Long", rarity="epic")
    imported(tenant, ONE_BADGE)

    row = Badge.objects.of(tenant).get()
    assert (row.description, row.rarity) == (None, "common")


def test_a_new_reward_with_an_inventory_has_no_pieces_and_an_old_one_keeps_them(tenant):
    imported(tenant, EVERYTHING)
    assert Reward.objects.of(tenant).get(code="mug").total_inventory == 0

    Reward.objects.of(tenant).filter(code="mug").update(total_inventory=12)
    imported(tenant, EVERYTHING.replace("name: A mug", "name: A better mug"))
    row = Reward.objects.of(tenant).get(code="mug")
    assert (row.name, row.total_inventory) == ("A better mug", 12)


def test_webhooks_with_the_same_url_are_told_apart_and_keep_their_secrets(tenant):
    imported(tenant, EVERYTHING)
    before = dict(Endpoint.objects.of(tenant).values_list("pk", "ciphertext"))
    imported(tenant, EVERYTHING.replace("event_types: [streak.*]", "event_types: [points.*]"))

    assert dict(Endpoint.objects.of(tenant).values_list("pk", "ciphertext")) == before
    assert sorted(Endpoint.objects.of(tenant).values_list("event_types", flat=True)) == [["*"], ["points.*"]]


def test_a_rollback_restores_the_previous_programme_and_a_second_one_undoes_it(tenant):
    imported(tenant, EVERYTHING)
    before = programme_text(tenant)
    imported(tenant, ONE_BADGE, prunes=True)
    after = programme_text(tenant)

    apply_plan(plan_rollback(tenant), by="a test", now=NOW)
    assert [line for line in before.splitlines() if line not in programme_text(tenant)] == []
    assert not Badge.objects.of(tenant).get(code="a").is_active

    apply_plan(plan_rollback(tenant), by="a test", now=NOW)
    assert programme_text(tenant) == after


def test_without_an_import_there_is_nothing_to_roll_back(tenant):
    with pytest.raises(NoPreviousProgramme):
        plan_rollback(tenant)


def test_an_import_that_changes_nothing_leaves_the_previous_programme_alone(tenant, nothing_written):
    imported(tenant, ONE_BADGE)
    imported(tenant, TWO_BADGES)
    with nothing_written():
        imported(tenant, TWO_BADGES)


def test_a_change_since_the_plan_was_made_refuses_the_import(tenant):
    plan = planned(tenant, ONE_BADGE)
    imported(tenant, TWO_BADGES)
    before = rows_of(tenant)

    with pytest.raises(ProgrammeChanged):
        apply_plan(plan, by="a test", now=NOW)
    assert rows_of(tenant) == before


def test_an_import_that_fails_half_way_changes_nothing(tenant, monkeypatch):
    plan = planned(tenant, EVERYTHING)
    monkeypatch.setattr("gamify_project.programme.services.bump_catalog_version", lambda tenant: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        apply_plan(plan, by="a test", now=NOW)

    assert not any(rows_of(tenant).values())
    assert not PreviousProgramme.objects.exists()
    assert catalog_of(Tenant.objects.get(pk=tenant.pk)).version == tenant.catalog_version


def test_single_changes_can_be_chosen_with_what_they_need(tenant):
    plan = planned(tenant, EVERYTHING)
    badge, streak, reward = Key("badge", "faithful"), Key("streak", "daily"), Key("reward", "mug")

    with pytest.raises(InvalidProgramme) as error:
        plan.only({badge})
    assert "needs streak daily, which is new too" in error.value.message
    apply_plan(plan.only({badge, streak, reward}), by="a test", now=NOW)
    assert {noun: len(rows) for noun, rows in rows_of(tenant).items() if rows} == {"badge": 1, "streak": 1, "reward": 1}


@pytest.mark.two_connections
@pytest.mark.django_db(transaction=True)
def test_of_two_imports_at_the_same_time_one_wins_and_the_other_is_told():
    tenant = TenantFactory()
    plans = [planned(tenant, EVERYTHING), planned(tenant, TWO_BADGES)]
    results = all_at_once([lambda plan=plan: apply_plan(plan, by="a test", now=timezone.now()) for plan in plans])

    refused = [result for result in results if isinstance(result, ProgrammeChanged)]
    won = next(result for result in results if result not in refused)
    assert len(refused) == 1
    assert sum(map(len, rows_of(tenant).values())) == len(won.changes)
