import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from gamify.badges.services import create_badge
from gamify.tiers.management.commands import recompute_tiers
from gamify.tiers.models import TierChange
from participants.models import DomainEvent, Participant
from tests.factories import ParticipantFactory, TierFactory

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)


@pytest.fixture
def run(monkeypatch):
    monkeypatch.setattr(recompute_tiers, "CHUNK", 2)

    def call(*args):
        out = StringIO()
        with time_machine.travel(NOW, tick=False):
            call_command("recompute_tiers", "--tenant", "acme", *args, "--json", stdout=out)
        return json.loads(out.getvalue())

    return call


def test_exactly_the_participants_with_enough_points_move_up(tenant, ladder, run):
    people = {name: ParticipantFactory(tenant=tenant, external_id=name, points=points) for name, points in (
        ("a", 5), ("b", 600), ("c", 20_000), ("registered", 0), ("é", 1500),
    )}  # fmt: skip

    assert run() == {"participants": 4, "raised": 4, "dry_run": False}

    tiers = dict(Participant.objects.values_list("external_id", "tier_code"))
    assert tiers == {"a": "bronze", "b": "silver", "c": "platinum", "registered": None, "é": "gold"}
    assert run() == {"participants": 4, "raised": 0, "dry_run": False}
    change = TierChange.objects.get(participant=people["b"])
    assert (change.how, change.entry_id, change.changed_at) == ("automatic", None, NOW)
    assert sorted(DomainEvent.objects.values_list("type", flat=True)) == ["tier.entered"] + ["tier.upgraded"] * 3


def test_a_dry_run_counts_and_changes_nothing(tenant, ladder, run):
    ParticipantFactory(tenant=tenant, external_id="b", points=600)

    assert run("--dry-run") == {"participants": 1, "raised": 1, "dry_run": True}
    assert not TierChange.objects.exists()


def test_badges_react_to_a_recomputed_tier(tenant, ladder, run):
    create_badge(
        tenant=tenant,
        data={"code": "high", "name": "High", "criteria": {"metric": "tier_level", "min": 2}},
        now=NOW,
    )
    ParticipantFactory(tenant=tenant, external_id="b", points=600)

    run()

    assert Participant.objects.get().badge_count == 1


def test_reached_and_assigned_tiers_stay_and_last_seen_does_not_move(tenant, ladder, run):
    seen = datetime(2026, 1, 1, tzinfo=UTC)
    given = {"tenant": tenant, "first_seen_at": seen, "last_seen_at": seen}
    ParticipantFactory(**given, external_id="high", points=10, tier_code="gold")
    ParticipantFactory(**given, external_id="by hand", points=5000, tier_code="bronze", tier_is_manual=True)
    ParticipantFactory(**given, external_id="low", points=5000, tier_code="bronze")

    assert run() == {"participants": 3, "raised": 1, "dry_run": False}

    tiers = dict(Participant.objects.values_list("external_id", "tier_code"))
    assert tiers == {"high": "gold", "by hand": "bronze", "low": "gold"}
    assert set(Participant.objects.values_list("last_seen_at", flat=True)) == {seen}


def test_another_tenant_and_the_other_environment_are_left_alone(tenant, other_tenant, ladder, run):
    for owner in (tenant, other_tenant, tenant.sandbox):
        ParticipantFactory(tenant=owner, points=600)
    TierFactory(tenant=other_tenant, criteria_config={"min_points": 1})
    TierFactory(tenant=tenant.sandbox, code="toy", criteria_config={"min_points": 1})

    assert run("--sandbox") == {"participants": 1, "raised": 1, "dry_run": False}
    assert list(Participant.objects.exclude(tier_code=None).values_list("tier_code", flat=True)) == ["toy"]


def test_each_tenant_uses_its_own_tiers(tenant, other_tenant, ladder, run):
    TierFactory(tenant=other_tenant, code="club", criteria_config={"min_points": 600})
    for owner in (tenant, other_tenant):
        ParticipantFactory(tenant=owner, external_id="ada", points=600)

    assert run("globex") == {"participants": 2, "raised": 2, "dry_run": False}
    assert dict(Participant.objects.values_list("tenant__slug", "tier_code")) == {"acme": "silver", "globex": "club"}


def test_an_unknown_tenant_is_refused_before_any_change(tenant, ladder):
    ParticipantFactory(tenant=tenant, points=600)

    with pytest.raises(CommandError, match="nobody"):
        call_command("recompute_tiers", "--tenant", "acme", "nobody")

    assert not TierChange.objects.exists()


class Terminal(StringIO):
    def isatty(self):
        return True


def test_on_a_terminal_a_bar_shows_the_progress(tenant, ladder, monkeypatch):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for _ in range(3):
        ParticipantFactory(tenant=tenant, points=600)
    screen = Terminal()

    call_command("recompute_tiers", "--tenant", "acme", "--dry-run", stderr=screen, stdout=StringIO())

    assert "3/3" in screen.getvalue()
