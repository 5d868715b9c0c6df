"""The exact contents of the registries. They are part of the product and change only on purpose."""

from django.apps import apps
from django.conf import settings

from gamify.facts.services import badge_metric_names, board_metric_names, grant_kinds, undoers
from gamify.points.services import multipliers
from gamify.points.services.wiring import EVENT_TYPES as POINTS_EVENTS
from participants.activity import activity_sources
from participants.api.exporting import export_kinds
from participants.api.kinds import definition_kinds
from participants.auditing import audits
from participants.catalog import catalog_parts
from participants.causes import cause_tables, irreversible_events
from participants.events import event_types
from participants.ids import new_id
from participants.models import Attributed, ParticipantRow, Tenant
from participants.profile import SECTION_NAMES, sections
from participants.services.participants import after_participant_zone_change, erasers
from participants.services.tenants import before_tenant_zone_change
from participants.work import after_commit, before_flush, closing_steps, settlements


def test_every_section_of_the_spec_is_registered_and_no_other():
    assert set(sections) == set(SECTION_NAMES) == {"points", "tier", "badges", "streaks", "challenges", "rewards"}


def test_the_registered_domain_events():
    assert set(event_types) == {
        "participant.created",
        "participant.updated",
        "participant.anonymized",
        "participant.deleted",
        "event.recorded",
        "event.reversed",
        "points.awarded",
        "points.deducted",
        "points.refunded",
        "points.expired",
        "points.adjusted",
        "points.reversed",
        "reward.claimed",
        "reward.pending",
        "reward.fulfilled",
        "reward.cancelled",
        "badge.awarded",
        "badge.revoked",
        "streak.incremented",
        "streak.decremented",
        "streak.broken",
        "streak.at_risk",
        "streak.restored",
        "streak.nudged",
        "streak.frozen",
        "streak.unfrozen",
        "streak.milestone_reached",
        "tier.entered",
        "tier.upgraded",
        "tier.assigned",
        "tier.reverted",
        "challenge.enrolled",
        "challenge.objective_completed",
        "challenge.completed",
        "challenge.expired",
        "challenge.set_back",
        "webhook.test",
        "webhook.disabled",
    }


def test_every_table_with_rows_of_participants_has_an_eraser():
    assert set(erasers) == {
        "idempotency keys",
        "domain events",
        "events",
        "points",
        "expiring credits",
        "badges",
        "badge progress",
        "claims",
        "streaks",
        "tier changes",
        "rule tallies",
        "challenges",
        "scores",
        "exports",
        "deliveries",
        "export files",
        "undo items",
    }


def test_the_hooks_before_the_flush_of_a_unit_of_work():
    assert set(before_flush) == {"leaderboards"}


def test_the_closing_steps_of_a_unit_of_work():
    assert set(closing_steps) == {"rewards"}


def test_the_parts_of_the_catalog():
    assert set(catalog_parts) == {
        "badges", "boosts", "challenges", "leaderboards", "rewards", "rules", "streaks", "tiers", "versions", "webhooks",
    }  # fmt: skip


def test_the_permanent_tables_that_tell_what_actors_did():
    assert set(activity_sources) == {"events", "points", "tiers", "badges", "claims"}


def test_the_tables_that_an_undo_of_a_cause_takes_back():
    assert set(cause_tables) == {"points", "event", "badge", "tier", "claim"}


def test_the_changes_that_an_undo_of_a_cause_keeps():
    assert set(irreversible_events) == {
        "event.reversed",
        "reward.fulfilled",
        "reward.cancelled",
        "streak.incremented",
        "streak.frozen",
        "streak.unfrozen",
        "streak.restored",
        "streak.nudged",
        "challenge.enrolled",
        "participant.updated",
        "participant.anonymized",
        "participant.deleted",
    }


def test_every_table_of_participants_whose_rows_name_actors_can_be_taken_back():
    tenant = Tenant(pk=new_id())
    mine = {model for model in apps.get_models() if issubclass(model, Attributed) and issubclass(model, ParticipantRow)}

    assert {table.rows(tenant).model for table in cause_tables.values()} == mine


def test_every_change_of_a_participant_is_taken_back_or_kept_for_a_reason():
    of_tables = {
        "event.recorded",
        "badge.awarded",
        "tier.assigned",
        "reward.claimed",
        "reward.pending",
        *POINTS_EVENTS.values(),
    }
    results_of_others = {
        "participant.created",  # a participant stays
        "badge.revoked",  # by a reversal
        "streak.decremented",  # by a reversal
        "streak.milestone_reached",  # by a tick
        "streak.broken",  # by time
        "streak.at_risk",  # by time
        "tier.entered",  # by an award
        "tier.upgraded",  # by an award
        "tier.reverted",  # by an undo
        "challenge.objective_completed",  # by an event
        "challenge.completed",  # by an event
        "challenge.expired",  # by time
        "challenge.set_back",  # by a reversal
    }
    known = {name for name, event in event_types.items() if "participant_id" in event.fields}

    assert known == of_tables | results_of_others | set(irreversible_events)


def test_the_kinds_of_grant():
    assert set(grant_kinds) == {"points", "badge", "tier", "streak_tick", "reward"}


def test_the_metrics_that_badges_compare_in_the_order_of_lists():
    assert badge_metric_names() == [
        "total_earned",
        "balance",
        "event_count",
        "event_sum",
        "streak_count",
        "tier_level",
        "challenges_completed",
        "badges_count",
    ]


def test_the_metrics_that_leaderboards_rank_by_in_the_order_of_lists():
    assert board_metric_names() == [
        "points_earned",
        "points_balance",
        "event_count",
        "event_sum",
        "streak_current",
        "streak_longest",
        "badges_count",
    ]


def test_the_fact_consumers_and_their_order():
    assert settings.FACT_CONSUMERS == [
        "streaks.consumers.LISTENER",
        "gamify.challenges.consumers.LISTENER",
        "gamify.badges.consumers.LISTENER",
        "gamify.rules.consumers.LISTENER",
        "gamify.leaderboards.consumers.LISTENER",
    ]


def test_the_kinds_of_definition_in_the_order_of_programme_files():
    assert [(kind.noun, kind.plural) for kind in definition_kinds.values()] == [
        ("boost", "boosts"),
        ("tier", "tiers"),
        ("badge", "badges"),
        ("challenge", "challenges"),
        ("leaderboard", "leaderboards"),
        ("rule", "rules"),
        ("webhook", "webhooks"),
        ("streak", "streaks"),
        ("reward", "rewards"),
    ]


def test_the_kinds_of_export():
    assert set(export_kinds) == {
        "participants", "changes", "events", "ledger", "expiring_credits", "badges", "leaderboard", "streaks", "claims", "codes",
    }  # fmt: skip


def test_the_settlements():
    assert set(settlements) == {"expired points"}


def test_the_multipliers_of_awards():
    assert set(multipliers) == {"tier", "boost", "reward"}


def test_the_undoers_and_their_order():
    assert settings.UNDO_ORDER == [
        "leaderboards",
        "rewards",
        "points",
        "tiers",
        "rules",
        "challenges",
        "streaks",
        "badges",
    ]
    assert set(undoers) == set(settings.UNDO_ORDER)


def test_the_subscribers_of_the_outbox():
    assert set(after_commit) == {"webhooks"}


def test_the_hooks_before_a_change_of_a_tenants_zone():
    assert set(before_tenant_zone_change) == {"streaks"}


def test_the_hooks_after_a_change_of_a_participants_zone():
    assert set(after_participant_zone_change) == {"streaks"}


def test_the_audits():
    assert set(audits) == {
        "idempotency keys",
        "ledger",
        "points answered",
        "points told",
        "tiers",
        "badges",
        "claims",
        "stock",
        "claims answered",
        "claims told",
        "leaderboards",
    }
