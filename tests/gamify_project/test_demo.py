from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from gamify.badges.models import Badge, BadgeAward
from gamify.challenges.models import Enrolment
from gamify.points.models import Boost, LedgerEntry
from gamify.points.services import Change, deduct
from gamify.tiers.models import Tier, TierChange
from gamify.webhooks.models import Delivery
from gamify_project.demo import history, make_demo, wants_days
from gamify_project.demo.cast import people
from gamify_project.overview.stored import stored_figures
from participants.figures import figures
from participants.models import DomainEvent, Participant
from participants.services.definitions import update_definition
from participants.services.participants import delete, register
from participants.services.tenants import create_tenant
from rewards.models import Claim
from streaks.models import Amnesty, ParticipantStreak, Streak
from streaks.selectors.reach import runs_of
from streaks.services import update_streak

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
DAY = timedelta(days=1)

pytestmark = pytest.mark.django_db


def everything(slug="demo"):
    """Return the rows of the demo without ids."""
    mine = {"tenant__slug": slug}
    people = Participant.objects.filter(**mine)
    return (
        sorted(people.values_list("external_id", "display_name", "balance", "tier_code", "last_seen_at")),
        of_participants(BadgeAward, mine, "badge__code", "earned_at"),
        of_participants(ParticipantStreak, mine, "streak__code", "runs", "breaks_at"),
        of_participants(Claim, mine, "reward__code", "status", "claimed_at"),
        of_participants(Enrolment, mine, "challenge__code", "enrolled_at", "progress", "completions"),
        of_participants(LedgerEntry, mine, "number", "delta", "created_at"),
        of_participants(TierChange, mine, "number", "code", "changed_at"),
    )


def of_participants(model, mine, *columns):
    return sorted(model.objects.filter(**mine).values_list("participant__external_id", *columns), key=str)


def test_seeding_twice_adds_nothing():
    first = make_demo(now=NOW, number=20, days=10)
    created = everything()

    second = make_demo(now=NOW, number=20, days=10)

    assert (second.participants, second.points) == (first.participants, first.points)
    assert everything() == created
    assert all(created)
    assert set(Participant.objects.values_list("attributes__plan", flat=True)) <= {"free", "pro", "enterprise"}


def test_a_later_run_adds_the_days_since_as_if_there_had_been_one_run(monkeypatch):
    make_demo(now=NOW, number=20, days=10)
    make_demo(now=NOW + 5 * DAY, number=20, days=10)

    monkeypatch.setattr(history, "SLUG", "in_one_run")
    make_demo(now=NOW + 5 * DAY, number=20, days=15)

    assert everything() == everything("in_one_run")


def test_a_run_that_was_interrupted_is_finished_by_the_next(monkeypatch):
    def stop(**_):
        raise KeyboardInterrupt

    make_demo(now=NOW, number=20, days=10)
    with monkeypatch.context() as patched:
        patched.setattr(history, "award_batch", stop)
        with pytest.raises(KeyboardInterrupt):
            make_demo(now=NOW + DAY, number=20, days=10)
    assert wants_days(now=NOW + DAY)

    make_demo(now=NOW + DAY, number=20, days=10)

    assert not wants_days(now=NOW + DAY)
    entries = Counter(LedgerEntry.objects.values_list("participant_id", "created_at", "type", "actor"))
    assert set(entries.values()) == {1}


def test_the_demo_gets_another_day_at_noon(django_assert_max_num_queries):
    assert wants_days(now=NOW)
    make_demo(now=NOW, number=20, days=10)

    with django_assert_max_num_queries(2):
        assert not wants_days(now=NOW)
    assert not wants_days(now=NOW.replace(hour=12))
    assert wants_days(now=NOW.replace(hour=12, minute=1))


def test_ninety_days_show_every_kind_of_definition_in_use():
    created = make_demo(now=NOW, number=30)

    assert created.participants >= 28
    assert set(BadgeAward.objects.values_list("badge__code", flat=True)) >= {"first_steps", "regular", "scholar"}
    assert set(Participant.objects.values_list("tier_code", flat=True)) >= {"bronze", "silver", "gold", "founder"}
    streaks = Streak.objects.filter(pk__in=ParticipantStreak.objects.values("streak"))
    assert set(streaks.values_list("period", flat=True)) == {"daily", "weekly", "monthly"}
    assert set(streaks.values_list("reset_on_miss", flat=True)) == {True, False}
    assert streaks.filter(grace_periods__gt=0).exists()
    assert ParticipantStreak.objects.filter(breaks_at__gt=NOW).exists()
    assert Enrolment.objects.filter(completions=1).exists()
    assert Enrolment.objects.filter(completions=0).exists()


def test_every_page_of_the_demo_shows_life():
    tenant = make_demo(now=NOW, number=40).tenant

    claims = Claim.objects.filter(tenant=tenant)
    assert set(claims.values_list("reward__code", "status")) >= {("coffee", "claimed"), ("mug", "fulfilled")}
    assert not claims.filter(reward__code="coffee", code_value=None).exists()
    assert LedgerEntry.objects.filter(tenant=tenant, actor="definition:rule:purchase_bonus").exists()
    assert Delivery.objects.get(tenant=tenant).type == "webhook.test"
    assert (Boost.objects.of(tenant).count(), Amnesty.objects.of(tenant).count()) == (1, 1)
    assert tenant.point_value == Decimal("0.01")


def test_the_overview_of_the_demo_has_numbers_for_sixty_days():
    tenant = make_demo(now=NOW, number=40).tenant

    stored = stored_figures(tenant, now=NOW)

    wanted = {name for name, figure in figures().items() if figure.is_listed} - {"rules.given", "people.new"}
    flows = {name for name in wanted if not figures()[name].is_level}
    for name in flows:
        assert stored.days[name].keys() >= {*stored.last_days, *stored.days_before}, name
    for name in wanted - flows:
        assert stored.days[name].keys() >= {NOW.date() - 30 * DAY, *stored.last_days}, name
    for name in ("points.issued", "points.spent", "badges.awarded", "rewards.given", "streaks.alive", "streaks.broken"):
        assert sum(stored.days[name].values()), name
    outstanding = sum(Participant.objects.of(tenant).values_list("balance", flat=True))
    assert stored.days["points.outstanding"][NOW.date()] == outstanding


def test_each_break_of_the_demo_is_announced_on_its_day():
    """The overview then shows how long runs last. Without it, all breaks of the past are announced by the first sweep."""
    tenant = make_demo(now=NOW, number=20, days=20).tenant

    broken = DomainEvent.objects.filter(tenant_id=tenant.pk, type="streak.broken")
    assert len({row.occurred_at.date() for row in broken}) > 10
    due = ParticipantStreak.objects.filter(tenant=tenant, breaks_at__lt=NOW - DAY)
    assert not due.exists()


@pytest.mark.parametrize("hour", [0, 6, 13, 23])
def test_a_few_runs_of_the_demo_are_at_risk_at_every_hour(hour):
    now = NOW.replace(hour=hour, minute=30)

    tenant = make_demo(now=now, number=60, days=10).tenant

    assert sum(at_risk for _, _, at_risk in runs_of(tenant, now=now)) >= 2


def test_changes_to_the_demo_stay_and_further_days_are_added():
    tenant = make_demo(now=NOW, number=20, days=30).tenant
    for model in (Badge, Tier):
        for row in model.objects.of(tenant):
            update_definition(row, tenant=tenant, changes={"is_active": False}, now=NOW)
    for row in Streak.objects.of(tenant):
        update_streak(row, tenant=tenant, changes={"is_active": False}, now=NOW)
    for row in Participant.objects.of(tenant).filter(balance__gt=0):
        deduct(tenant=tenant, change=Change(row.external_id, row.balance), now=NOW)
    delete(tenant=tenant, external_id=people(1)[0].external_id, now=NOW)
    awards = BadgeAward.objects.count()

    created = make_demo(now=NOW + 20 * DAY, number=20, days=30)

    assert not wants_days(now=NOW + 20 * DAY)
    assert created.points > 0
    assert not Badge.objects.active().exists()
    assert BadgeAward.objects.count() == awards
    assert not Participant.objects.filter(balance__lt=0).exists()


def test_a_start_does_not_change_a_tenant_demo_that_the_user_created():
    tenant = create_tenant(slug="demo", name="Demo", now=NOW)
    assert wants_days(now=NOW)

    register(tenant=tenant, external_id="user_1", changes={}, now=NOW)

    assert not wants_days(now=NOW)
