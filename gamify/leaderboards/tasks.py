"""Celery tasks: fold waiting changes, fill boards, and delete scores that no board needs."""

from celery import shared_task
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from gamify.leaderboards.models import Leaderboard, ScoreChange
from gamify.leaderboards.services import build, fold_in_chunks, sweep
from gamify.leaderboards.services.waking import BUILD_TASK, FOLD_TASK
from participants.database import all_tenants
from participants.models import Tenant
from participants.work import Swept, round_robin

# Well below the time limit of a task. What is left over waits for the next run of the beat.
BUDGET_SECONDS = 120.0
NIGHTLY_SECONDS = 480.0


@shared_task(name=FOLD_TASK)
def fold(tenant_id: str) -> Swept:
    """Fold the waiting changes of one tenant."""
    return _fold(Tenant.objects.filter(pk=tenant_id))


@shared_task(name="leaderboards.fold_waiting")
def fold_waiting() -> Swept:
    """Fold the waiting changes of all tenants, in case a wake-up was lost."""
    waiting = ScoreChange.objects.filter(tenant_id=OuterRef("pk"))
    return _fold(Tenant.objects.filter(Exists(waiting)))


def _fold(tenants: "QuerySet[Tenant]") -> Swept:
    now = timezone.now()
    with all_tenants():
        work = [(tenant, fold_in_chunks(tenant=tenant, now=now)) for tenant in tenants]
    return round_robin("boards", work, seconds=BUDGET_SECONDS)


@shared_task(name=BUILD_TASK)
def build_one(board_id: str) -> Swept:
    """Fill one board."""
    return _build(Leaderboard.objects.filter(pk=board_id))


@shared_task(name="leaderboards.build_waiting")
def build_waiting() -> Swept:
    """Fill all boards that are not complete."""
    return _build(Leaderboard.objects.active().filter(built_at=None))


def _build(boards: "QuerySet[Leaderboard]") -> Swept:
    now = timezone.now()
    with all_tenants():
        work = [(board.tenant, build(board=board, now=now)) for board in boards.select_related("tenant")]
    return round_robin("new boards", work, seconds=BUDGET_SECONDS)


@shared_task(name="leaderboards.sweep")
def sweep_all() -> Swept:
    """Delete scores and ranges that no board needs."""
    now = timezone.now()
    with all_tenants():
        tenants = list(Tenant.objects.filter(Exists(Leaderboard.objects.filter(tenant_id=OuterRef("pk")))))
    return round_robin(
        "old boards", [(tenant, sweep(tenant=tenant, now=now)) for tenant in tenants], seconds=NIGHTLY_SECONDS
    )
