"""Celery tasks: fold waiting changes, fill boards, and delete scores that no board needs."""

from celery import shared_task
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from gamify.leaderboards.models import Leaderboard, ScoreChange
from gamify.leaderboards.services import build, fold_in_chunks, sweep
from gamify.leaderboards.services.waking import BUILD_TASK, FOLD_TASK
from participants.database import all_tenants
from participants.models import Tenant
from participants.work import round_robin

# Well below the time limit of a task. What is left over waits for the next run of the beat.
BUDGET_SECONDS = 120.0
NIGHTLY_SECONDS = 480.0


@shared_task(name=FOLD_TASK)
def fold(tenant_id: str) -> None:
    """Fold the waiting changes of one tenant."""
    _fold(Tenant.objects.filter(pk=tenant_id))


@shared_task(name="leaderboards.fold_waiting")
def fold_waiting() -> None:
    """Fold the waiting changes of all tenants, in case a wake-up was lost."""
    waiting = ScoreChange.objects.filter(tenant_id=OuterRef("pk"))
    _fold(Tenant.objects.filter(Exists(waiting)))


def _fold(tenants: "QuerySet[Tenant]") -> None:
    now = timezone.now()
    with all_tenants():
        work = [(tenant, fold_in_chunks(tenant=tenant, now=now)) for tenant in tenants]
    round_robin("boards", work, seconds=BUDGET_SECONDS)


@shared_task(name=BUILD_TASK)
def build_one(board_id: str) -> None:
    """Fill one board."""
    _build(Leaderboard.objects.filter(pk=board_id))


@shared_task(name="leaderboards.build_waiting")
def build_waiting() -> None:
    """Fill all boards that are not complete."""
    _build(Leaderboard.objects.active().filter(built_at=None))


def _build(boards: "QuerySet[Leaderboard]") -> None:
    now = timezone.now()
    with all_tenants():
        work = [(board.tenant, build(board=board, now=now)) for board in boards.select_related("tenant")]
    round_robin("new boards", work, seconds=BUDGET_SECONDS)


@shared_task(name="leaderboards.sweep")
def sweep_all() -> None:
    """Delete scores and ranges that no board needs."""
    now = timezone.now()
    with all_tenants():
        tenants = list(Tenant.objects.filter(Exists(Leaderboard.objects.filter(tenant_id=OuterRef("pk")))))
    round_robin("old boards", [(tenant, sweep(tenant=tenant, now=now)) for tenant in tenants], seconds=NIGHTLY_SECONDS)
