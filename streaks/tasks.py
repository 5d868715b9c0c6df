"""Periodic tasks: announce breaks and risks, and review streaks after changes that concern all participants."""

from celery import shared_task
from django.utils import timezone

from participants.database import all_tenants
from participants.work import Swept, round_robin
from streaks.models import Streak
from streaks.selectors.due import BREAKS, RISKS, SweepKind, tenants_with_due_rows
from streaks.services import review_streak, sweep

# Less than the time after which a worker is killed (LONGEST_TASK_SECONDS). Remaining rows are due for the next run.
BUDGET_SECONDS = 120.0


@shared_task(name="streaks.announce_breaks")
def announce_breaks() -> Swept:
    """Announce every broken run."""
    return _announce(BREAKS)


@shared_task(name="streaks.announce_risks")
def announce_risks() -> Swept:
    """Announce every run at risk."""
    return _announce(RISKS)


def _announce(kind: SweepKind) -> Swept:
    now = timezone.now()
    with all_tenants():
        tenants = list(tenants_with_due_rows(kind, now=now))
    work = [(tenant, sweep(tenant=tenant, kind=kind, now=now)) for tenant in tenants]
    return round_robin(f"streak {kind.name}", work, seconds=BUDGET_SECONDS)


@shared_task(name="streaks.review")
def review() -> Swept:
    """Announce what a change of a streak's rules, the end of a pause, or an amnesty changed for its participants."""
    now = timezone.now()
    with all_tenants():
        streaks = list(Streak.objects.awaiting_review().select_related("tenant").order_by("review_due_at"))
    work = [(streak.tenant, review_streak(streak=streak, now=now)) for streak in streaks]
    return round_robin("streak review", work, seconds=BUDGET_SECONDS)
