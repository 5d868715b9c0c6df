"""Opens units of work: for participants that a client names, or for participants that a sweep found."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import IntegrityError, OperationalError
from django.db.backends.base.base import BaseDatabaseWrapper

from participants.database import (
    Query,
    Read,
    Rows,
    ShortTransaction,
    Slot,
    is_passing_conflict,
    is_timeout,
    verify_in_this_exchange,
)
from participants.models import Tenant
from participants.work.idempotency import IdempotencyRequest, KnownKeys, known_keys
from participants.work.loading import Load, read_by_id, read_by_name
from participants.work.locking import lock_by_id, lock_by_name
from participants.work.reading import reading
from participants.work.restarting import Restart, Timeout, further_participants, within_the_time_left
from participants.work.settling import settle
from participants.work.unit import UnitOfWork, run_closing_steps


@contextmanager
def unit_of_work(
    tenant: Tenant,
    external_ids: Iterable[str],
    *,
    now: datetime,
    idempotency_requests: Sequence[IdempotencyRequest | None] = (),
    loads: Sequence[Load] = (),
    is_silent: bool = False,
    is_dry_run: bool = False,
    is_history: bool = False,
) -> Iterator[UnitOfWork]:
    """Lock the participants that exist, read their rows of `loads`, and yield the unit. It writes and commits when the block ends.

    - `is_silent`: the unit publishes no domain events.
    - `is_dry_run`: the unit neither locks nor writes.
    - `is_history`: the unit replays the past, so `last_seen_at` does not move by itself.

    Call it from a function decorated with `restartable`. Raises Restart if a concurrent unit won a race, or if definitions changed
    before this unit had its locks.
    """
    external_ids = {*external_ids, *further_participants().values()}
    work = UnitOfWork(tenant, now=now, is_silent=is_silent, is_dry_run=is_dry_run, is_history=is_history)
    rows = [read_by_name(load, tenant, external_ids) for load in loads]
    keys = known_keys(tenant, [each for each in idempotency_requests if each])
    participants = within_the_time_left(lock_by_name(tenant, external_ids, locks=not is_dry_run))
    with _open(work, participants, rows, keys, loads=loads):
        yield work


@contextmanager
def unit_for_ids(
    tenant: Tenant,
    participant_ids: Iterable[UUID],
    *,
    now: datetime,
    loads: Sequence[Load] = (),
    waits: bool = False,
    only: Sequence[str] = (),
    is_silent: bool = False,
    is_history: bool = False,
) -> Iterator[UnitOfWork]:
    """Lock participants that a sweep found, and yield the unit.

    - Without `waits`, participants that another unit holds are skipped. `loads` may still bring rows of skipped participants, so look
      in `work.locked_participants` first.
    - With `only`, just these columns of the participants are read, and nothing is settled. Call `load_deferred` for the rest.

    Call it from a function decorated with `restartable`.
    """
    participant_ids = {*participant_ids, *further_participants()}
    work = UnitOfWork(tenant, now=now, is_silent=is_silent, is_history=is_history)
    rows = [read_by_id(load, tenant, participant_ids) for load in loads]
    participants = within_the_time_left(lock_by_id(tenant, participant_ids, waits=waits, only=only))
    with _open(work, participants, rows, [], loads=loads, settles=not only):
        yield work


@contextmanager
def unit_for_query(tenant: Tenant, find: Read, *, now: datetime) -> Iterator[tuple[UnitOfWork, Rows]]:
    """Yield a unit and the rows that `find` reads. `find` joins them to their participants, and locks both itself.

    Call it from a function decorated with `restartable`.
    """
    work = UnitOfWork(tenant, now=now)
    with (
        _restart_on_conflict(),
        reading(tenant),
        ShortTransaction([find, _version_of(work)], finish=work.flush) as (rows, versions),
    ):
        _restart_if_stale(work, versions)
        yield work, rows


@contextmanager
def _open(
    work: UnitOfWork,
    lock: Read,
    rows: Sequence[Read],
    keys: Sequence[Read],
    *,
    loads: Sequence[Load],
    settles: bool = True,
) -> Iterator[None]:
    reads = [lock, _version_of(work), *rows, *keys]
    with (
        _restart_on_conflict(),
        reading(work.tenant),
        ShortTransaction(reads, finish=work.flush) as (participants, versions, *answers),
    ):
        _restart_if_stale(work, versions)
        work.begin(participants, KnownKeys(chain.from_iterable(answers[len(rows) :])))
        work.index(zip(loads, answers, strict=False))
        if settles:
            settle(work, work.locked_participants.values())
        yield
        run_closing_steps(work)


def _restart_if_stale(work: UnitOfWork, versions: Iterable[Tenant]) -> None:
    """Restart if the catalog changed after this unit read it.

    Rows must be written under the definitions in force once the locks are held. Then code that changes a definition, or builds a
    leaderboard, need not wait for units that began before.
    """
    if any(row.catalog_version > work.tenant.catalog_version for row in versions):
        work.restart_with_new_catalog()


def _version_of(work: UnitOfWork) -> Read:
    """Read the version of the tenant's definitions behind the locks, unless the look-up of the caller's key will do that anyway."""

    def execute(connection: BaseDatabaseWrapper) -> Callable[[], Rows]:
        if verify_in_this_exchange(connection, work.tenant.pk):
            return list
        return _VERSION.execute(connection, {"tenant": work.tenant.pk})

    return execute


_VERSION: Query[Tenant] = Query(
    lambda: Tenant.objects.filter(pk=Slot("tenant", Tenant._meta.get_field("id"))).only("catalog_version")
)


@contextmanager
def _restart_on_conflict() -> Iterator[None]:
    """Turn database errors that a second attempt can avoid into Restart."""
    try:
        yield
    except (IntegrityError, OperationalError) as error:
        if is_passing_conflict(error):
            raise Restart from error
        if is_timeout(error):
            raise Timeout from error
        raise
