"""The context of the overview page."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from gamify_project.overview import tables, unused
from gamify_project.overview.cards import Reader, may_open, sections
from gamify_project.overview.steps import first_steps
from gamify_project.overview.stored import StoredFigures, stored_figures
from gamify_project.periodic.status import late_tasks
from participants.models import Tenant

OUTDATED = timedelta(hours=1)
VIEW_TASKS = "gamify_project.view_periodicrun"


def overview(tenant: Tenant, reader: Reader, *, now: datetime) -> Mapping[str, Any]:
    """Return what the page shows of `tenant` to `reader`. The number of queries does not depend on the data."""
    stored = stored_figures(tenant, now=now)
    return {
        "steps": first_steps(tenant),
        "stored": stored,
        "is_outdated": stored.computed_at is not None and now - stored.computed_at > OUTDATED,
        "late_tasks": late_tasks(now=now) if reader.has_perm(VIEW_TASKS) else [],
        "sections": list(sections(tenant, stored, reader)),
        **_tables(tenant, stored, reader, now=now),
    }


def _tables(tenant: Tenant, stored: StoredFigures, reader: Reader, *, now: datetime) -> Mapping[str, Any]:
    """Return the tables of what the reader may view."""
    found: Mapping[str, tuple[str, Callable[[], Any]]] = {
        "tiers": ("tiers_tier_changelist", lambda: tables.tier_spread(tenant, stored)),
        "survival": ("streaks_streak_changelist", lambda: tables.survival(stored)),
        "cohorts": ("participants_participant_changelist", lambda: tables.retention(stored)),
        "stock": ("rewards_reward_changelist", lambda: tables.rewards_running_out(tenant, stored)),
        "names": ("facts_event_changelist", lambda: unused.event_names(tenant, stored)),
    }
    shown = {name: make() for name, (page, make) in found.items() if may_open(reader, page)}
    return {**shown, "unused": unused.unused_definitions(tenant, stored, reader, now=now)}
