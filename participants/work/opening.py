"""How a unit of work is opened: for participants that a client names, or for those that a sweep found."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import chain
from uuid import UUID

from django.db import IntegrityError, OperationalError

from participants.database import Query, Read, Rows, ShortTransaction, Slot, is_passing_conflict
from participants.models import Tenant
from participants.work.idempotency import IdempotencyRequest, KnownKeys, known_keys
from participants.work.loading import Load, read_by_id, read_by_name
from participants.work.locking import lock_by_id, lock_by_name
from participants.work.reading import reading
from participants.work.restarting import Restart, further_participants
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
    """Lock the participants that exist, read `loads` of theirs and hand out the unit; leaving it writes and commits.

    A silent unit tells the outside nothing; a dry run neither locks nor writes; in a history nobody is seen. Call it from a function
    decorated with `restartable`. Raises Restart where a concurrent unit won, and where definitions changed until it had its locks.
    """
    external_ids = {*external_ids, *further_participants().values()}
    work = UnitOfWork(tenant, now=now, is_silent=is_silent, is_dry_run=is_dry_run, is_history=is_history)
    rows = [read_by_name(load, tenant, external_ids) for load in loads]
    keys = known_keys(tenant, [idempotency for idempotency in idempotency_requests if idempotency])
    people = lock_by_name(tenant, external_ids, locks=not is_dry_run)
    with _opened(work, people, rows, keys, loads=loads):
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
    """Lock participants that a sweep found: those that nobody else holds, or once it is their turn all of them.

    With `only`, these columns of theirs are read; whoever finds that more is needed calls `complete`. `loads` may bring rows of participants that are not locked; ask `work.locked` for those that are. Call it from a
    function decorated with `restartable`.
    """
    participant_ids = {*participant_ids, *further_participants()}
    work = UnitOfWork(tenant, now=now, is_silent=is_silent, is_history=is_history)
    rows = [read_by_id(load, tenant, participant_ids) for load in loads]
    people = lock_by_id(tenant, participant_ids, waits=waits, only=only)
    with _opened(work, people, rows, [], loads=loads, settles=not only):
        yield work


@contextmanager
def unit_for_query(tenant: Tenant, find: Read, *, now: datetime) -> Iterator[tuple[UnitOfWork, Rows]]:
    """A unit over what `find` finds and locks by itself: rows joined to their participants, and both locked.

    The rows are handed out as they come, with the unit. Call it from a function decorated with `restartable`.
    """
    work = UnitOfWork(tenant, now=now)
    with (
        _restarting(),
        reading(tenant),
        ShortTransaction([find, _version_of(tenant)], finish=work.flush) as (found, versions),
    ):
        _check(work, versions)
        yield work, found


@contextmanager
def _opened(
    work: UnitOfWork,
    lock: Read,
    rows: Sequence[Read],
    keys: Sequence[Read],
    *,
    loads: Sequence[Load],
    settles: bool = True,
) -> Iterator[None]:
    questions = [lock, _version_of(work.tenant), *rows, *keys]
    with (
        _restarting(),
        reading(work.tenant),
        ShortTransaction(questions, finish=work.flush) as (participants, versions, *answers),
    ):
        _check(work, versions)
        work.begin(participants, KnownKeys(chain.from_iterable(answers[len(rows) :])))
        work.index(zip(loads, answers, strict=False))
        if settles:
            settle(work, work.locked_participants.values())
        yield
        run_closing_steps(work)


def _check(work: UnitOfWork, versions: Iterable[Tenant]) -> None:
    """What is written counts for what is defined by then: whoever defines, or fills a board, waits for nobody who began before."""
    if any(row.catalog_version > work.tenant.catalog_version for row in versions):
        work.restart_with_new_catalog()


def _version_of(tenant: Tenant) -> Read:
    return lambda connection: _VERSION.execute(connection, {"tenant": tenant.pk})


_VERSION: Query[Tenant] = Query(
    lambda: Tenant.objects.filter(pk=Slot("tenant", Tenant._meta.get_field("id"))).only("catalog_version")
)


@contextmanager
def _restarting() -> Iterator[None]:
    """What passes is tried again from the beginning."""
    try:
        yield
    except (IntegrityError, OperationalError) as error:
        if is_passing_conflict(error):
            raise Restart from error
        raise
