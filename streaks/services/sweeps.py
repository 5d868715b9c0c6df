"""What time alone brings about: streaks that broke, and streaks about to break, are told once each (contract §10).

At midnight a million streaks may break in one instant. Most of them say the same as many others, and are told the same: that
is decided once. Whoever says what needs more care (a run that lives again, counts to carry over, definitions that listen)
is looked at by itself, as after any other change.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from gamify.facts import services as facts
from participants.catalog import Catalog
from participants.database import instance_from
from participants.models import Participant, Tenant
from participants.work import UnitOfWork, restartable, unit_for_query
from streaks.models import ParticipantStreak
from streaks.selectors import CompiledStreak, status_of, streaks_in
from streaks.selectors.due import Due, Found, Sweep, due_of, finding, row_that_says
from streaks.services.announcing import BY_TIME, look_at
from streaks.services.telling import ANNOUNCED, PendingAnnouncements, pending_announcements, tell

CHUNK = 1_000
MAX_VERDICTS = 2_000
PUSHED_AHEAD = timedelta(minutes=5)

StateKey = tuple[str | None, ...]

logger = structlog.get_logger(__name__)


@dataclass(frozen=True)
class SharedDecision:
    """What all are told who say the same."""

    streak: CompiledStreak
    news: PendingAnnouncements


@dataclass(frozen=True)
class _Swept:
    """`told` were told, `left` need more care; `last` was the last found, None where nothing was."""

    told: int
    left: Sequence[Due]
    last: Due | None


def sweep(*, tenant: Tenant, kind: Sweep, now: datetime) -> int:
    """Look at every row of `tenant` that is due; answers how many were looked at."""
    return sum(sweeping(tenant=tenant, kind=kind, now=now))


def sweeping(*, tenant: Tenant, kind: Sweep, now: datetime) -> Iterator[int]:
    """As `sweep`, a chunk each time it is asked: who runs out of time stops asking, and a later sweep finds the rest."""
    last, verdicts = None, _Verdicts()
    while True:
        swept = _swept(tenant=tenant, kind=kind, behind=last, verdicts=verdicts, now=now)
        last = swept.last
        if last is None:
            return
        yield swept.told + _looked_at(tenant, kind, swept.left, now=now)


def _looked_at(tenant: Tenant, kind: Sweep, left: Sequence[Due], *, now: datetime) -> int:
    return (
        look_at(tenant, left, now=now, on_failure=lambda failed: _push_ahead(tenant, kind, failed, now=now))
        if left
        else 0
    )


def _push_ahead(tenant: Tenant, kind: Sweep, failed: Due, *, now: datetime) -> None:
    """A row that fails must not be the first of every sweep."""
    row = ParticipantStreak.objects.filter(tenant_id=tenant.pk, pk=failed.row_id, **{kind.column: failed.at})
    row.update(**{kind.column: now + PUSHED_AHEAD})


@restartable
def _swept(*, tenant: Tenant, kind: Sweep, behind: Due | None, verdicts: "_Verdicts", now: datetime) -> _Swept:
    find = finding(tenant, kind, behind=behind, limit=CHUNK, now=now)
    with unit_for_query(tenant, find, now=now) as (work, found):
        left = [each for each in found if not _told(work, each, verdicts.of(work.catalog, each.says, now=now))]
        last = due_of(found[-1], kind) if found else None
        return _Swept(len(found) - len(left), [due_of(each, kind) for each in left], last)


class _Verdicts:
    """Those of one sweep, by what is said; anew where definitions change meanwhile, and where there are too many of them."""

    def __init__(self) -> None:
        self._catalog: Catalog | None = None
        self._known: dict[StateKey, SharedDecision | None] = {}
        self._is_heard = False

    def of(self, catalog: Catalog, says: StateKey, *, now: datetime) -> SharedDecision | None:
        """None where each must be looked at by itself, as where definitions listen to what would be told."""
        if catalog is not self._catalog or len(self._known) >= MAX_VERDICTS:
            self._catalog, self._known = catalog, {}
            self._is_heard = any(facts.is_heard(catalog, change) for change in BY_TIME)
        if self._is_heard:
            return None
        if says not in self._known:
            self._known[says] = _verdict(catalog, says, now=now)
        return self._known[says]


def _verdict(catalog: Catalog, says: Sequence[str | None], *, now: datetime) -> SharedDecision | None:
    try:
        participant, row = row_that_says(says)
        streak = streaks_in(catalog).by_id.get(row.streak_id)
        if streak is None or streak.revision != row.revision:
            return None
        news = pending_announcements(row, status_of(row, streak, participant, now=now).standing)
    except Exception:
        logger.exception("streak_sweep_doubtful", says=says)
        return None
    return None if news.is_revived else SharedDecision(streak, news)


def _told(work: UnitOfWork, found: Found, verdict: SharedDecision | None) -> bool:
    if verdict is None:
        return False
    person = {"id": found.participant_id, "tenant_id": work.tenant.pk, "external_id": found.external_id}
    tell(work, instance_from(Participant, person.items(), alias="default"), verdict.streak, verdict.news)
    if verdict.news.has_changed:
        row = {"id": found.row_id, "tenant_id": work.tenant.pk, **verdict.news.columns}
        work.change(instance_from(ParticipantStreak, row.items(), alias="default"), *ANNOUNCED)
    return True
