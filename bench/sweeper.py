"""`python -m bench.sweeper SLUG STATES DUE ROUNDS`: sweeps a crowd over and over, and the same rows in plain SQL.

A process of its own, so that its memory is that of a worker. Prints one line of JSON: rows per second of each, in every
round, and by how many MiB the peak of the memory has grown from the first sweep of a few rows to the end of the last.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from datetime import time as clock
from itertools import islice
from typing import Any

import django
from celery.signals import worker_init

django.setup()

from django.db import connection  # noqa: E402 - the settings come first
from django.utils import timezone  # noqa: E402

from bench import crowd  # noqa: E402
from gamify_project import celery_app  # noqa: E402, F401 - hears that a worker starts
from participants.actors import ActorKind, act_as, actor_of  # noqa: E402
from participants.models import Tenant  # noqa: E402
from streaks.selectors.due import BREAKS  # noqa: E402
from streaks.services import create_streak, sweep  # noqa: E402

DAILY = {"code": "daily", "name": "Daily", "event_types": ["login"]}


def main(slug: str, states: int, due: int, rounds: int) -> None:
    worker_init.send(sender=None)
    act_as(actor_of(ActorKind.COMMAND, "bench", "bench"))
    now = timezone.now()
    tenant = Tenant.objects.live().get(slug=slug)
    streak = create_streak(tenant=tenant, data=DAILY, now=now)
    values = _values(tenant, streak.pk, now) | {"states": states, "every": states // due}
    for statement in (crowd.PEOPLE, crowd.STATES):
        _execute(statement, values)
    peak = _peak_of_a_few_chunks(tenant, now)
    plain: list[float] = []
    ours: list[float] = []
    for _ in range(rounds):
        plain.append(_rate(values, due, lambda: _execute(crowd.SWEEP, values)))
        ours.append(_rate(values, due, lambda: sum(sweep(tenant=_fresh(tenant), kind=BREAKS, now=now))))
    print(json.dumps({"plain": plain, "ours": ours, "grown": _peak() - peak}))


def _peak_of_a_few_chunks(tenant: Tenant, now: datetime) -> float:
    """Statements are prepared by then, and the catalog is compiled."""
    list(islice(sweep(tenant=_fresh(tenant), kind=BREAKS, now=now), 4))
    return _peak()


def _values(tenant: Tenant, streak_id: Any, now: datetime) -> dict[str, Any]:
    midnight = datetime.combine(now, clock(), tzinfo=UTC)
    return {"tenant": tenant.pk, "streak": streak_id, "now": now, "midnight": midnight, "today": now.toordinal()}


def _fresh(tenant: Tenant) -> Tenant:
    return Tenant.objects.get(pk=tenant.pk)


def _rate(values: dict[str, Any], due: int, tell: Callable[[], object]) -> float:
    """Rows per second of `tell`, which finds them all due and no dead ones in its way."""
    _execute(crowd.UNTOLD, values)
    for statement in ("TRUNCATE participants_domainevent", "VACUUM ANALYZE", "CHECKPOINT"):
        _execute(statement)
    started = time.perf_counter()
    tell()
    seconds = time.perf_counter() - started
    told = _count("SELECT count(*) FROM participants_domainevent WHERE type = 'streak.broken'")
    if told != due:
        raise RuntimeError(f"{told} breaks were told of {due}")
    return due / seconds


def _execute(statement: str, values: dict[str, Any] | None = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)


def _count(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.fetchone()[0])


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
