"""Creates the history of the demo through the services, day by day."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gamify.badges import services as badges
from gamify.badges.selectors import active_badges
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit_batch
from gamify.points.engine import InsufficientPoints
from gamify.points.services import AWARD_BATCH, Change, award_batch, deduct
from gamify.tiers.services import Assignment, TierNotFound, assign
from gamify_project.blueprints import create_missing
from gamify_project.demo import definitions
from gamify_project.demo.cast import COFFEE, Deed, Diary, Person, deeds, people, wants_coffee
from participants.catalog import catalog_of
from participants.models import IdempotencyKey, Participant, Tenant
from participants.selectors import tenant_by_slug
from participants.services import participants
from participants.services.tenants import create_tenant
from participants.work import restartable, unit_of_work
from streaks.selectors import streaks_in
from streaks.services import Tick, record_many

SLUG = "demo"
PEOPLE = 200
DAYS = 90
DAY = timedelta(days=1)
DAY_KEY = "demo-day-"


@dataclass(frozen=True)
class DemoResult:
    """The totals after a run. A second run on the same day adds nothing."""

    tenant: Tenant
    participants: int
    points: int


@dataclass(frozen=True)
class _Day:
    """One day: the deeds, and what they earn besides points."""

    at: datetime
    deeds: Sequence[Deed]
    badges: Mapping[str, Sequence[str]]
    newcomers: Sequence[Person]
    coffees: Sequence[Person]

    @property
    def key(self) -> str:
        return _key(self.at)


def make_demo(*, now: datetime, number: int = PEOPLE, days: int = DAYS) -> DemoResult:
    """Fill the tenant `demo` with the `days` days before its creation, and all days since. Safe to repeat and to interrupt."""
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name="Demo", now=now)
    create_missing(tenant, definitions.ALL, now=now)
    completed = _completed_days(tenant)
    for day in _history(people(number), since=tenant.created_at - days * DAY, until=now):
        if day.key not in completed:
            _replay_day(tenant, day)
    rows = Participant.objects.of(tenant)
    return DemoResult(tenant, rows.count(), sum(rows.values_list("balance", flat=True)))


def wants_days(*, now: datetime) -> bool:
    """Whether days of the demo are missing: it is new, or it was begun and does not reach today. At most three queries.

    A tenant `demo` that has participants but no demo days belongs to the user. It is filled only by `seed_demo`.
    """
    tenant = tenant_by_slug(SLUG)
    if tenant is None:
        return True
    completed = _completed_days(tenant)
    if not completed:
        return not Participant.objects.of(tenant).exists()
    newest = _noon(now) if now > _noon(now) else _noon(now) - DAY
    return _key(newest) not in completed


def _completed_days(tenant: Tenant) -> set[str]:
    """Return the keys of completed days. The points of a day are awarded last, with the key of the day, which is never deleted."""
    keys = IdempotencyKey.objects.filter(tenant=tenant, subject=tenant.pk, operation=AWARD_BATCH)
    return set(keys.filter(key__startswith=DAY_KEY).values_list("key", flat=True))


def _key(at: datetime) -> str:
    return f"{DAY_KEY}{at:%Y-%m-%d}"


def _noon(at: datetime) -> datetime:
    return at.replace(hour=12, minute=0, second=0, microsecond=0)


def _history(cast: Sequence[Person], *, since: datetime, until: datetime) -> Iterator[_Day]:
    """Yield all days from the beginning, so that a later run knows what was earned before."""
    diaries = {person.external_id: Diary() for person in cast}
    at = _noon(since)
    while at < until:
        yield _day(cast, diaries, at=at)
        at += DAY


def _day(cast: Sequence[Person], diaries: Mapping[str, Diary], *, at: datetime) -> _Day:
    done = list(deeds(cast, at=at))
    coffees = [person for person in cast if wants_coffee(person, at=at) and diaries[person.external_id].pay(COFFEE)]
    newcomers = [deed.person for deed in done if diaries[deed.person.external_id].is_empty]
    earned = {deed.person.external_id: diaries[deed.person.external_id].write(deed) for deed in done}
    return _Day(at, done, {name: codes for name, codes in earned.items() if codes}, newcomers, coffees)


# --- a day ------------------------------------------------------------------------------------------------------------


def _replay_day(tenant: Tenant, day: _Day) -> None:
    for person in day.newcomers:
        _introduce(tenant, person, at=day.at)
    for person in day.coffees:
        _buy_coffee(tenant, person, at=day.at)
    _tick(tenant, day)
    _report_events(tenant, day)
    _give_badges(tenant=tenant, day=day)
    changes = [Change(deed.person.external_id, deed.activity.amount, reason=deed.activity.reason) for deed in day.deeds]
    award_batch(tenant=tenant, changes=changes, refused={}, key=day.key, now=day.at)


def _introduce(tenant: Tenant, person: Person, *, at: datetime) -> None:
    changes = {"display_name": person.display_name, "attributes": {"plan": person.plan}}
    participants.register(tenant=tenant, external_id=person.external_id, changes=changes, now=at)
    if person.is_founder:
        with contextlib.suppress(TierNotFound):
            assign(tenant=tenant, assignment=Assignment(person.external_id, "founder", "From the start"), now=at)


def _buy_coffee(tenant: Tenant, person: Person, *, at: datetime) -> None:
    """Spend points on a coffee. It is skipped if the user of the demo has spent the points already."""
    key = f"demo-coffee-{at:%Y-%m-%d}"
    change = Change(person.external_id, COFFEE, reason="Redeemed a coffee", idempotency_key=key)
    with contextlib.suppress(InsufficientPoints):
        deduct(tenant=tenant, change=change, now=at)


def _tick(tenant: Tenant, day: _Day) -> None:
    known = streaks_in(catalog_of(tenant)).by_code
    ticks = [Tick(deed.person.external_id, code, day.at) for deed in day.deeds for code in deed.streaks]
    open_ticks = [tick for tick in ticks if tick.streak_code in known and known[tick.streak_code].is_active]
    record_many(tenant=tenant, ticks=open_ticks, now=day.at)


def _report_events(tenant: Tenant, day: _Day) -> None:
    """Report the events of the day, which the challenge counts."""
    events = [
        EventInput(deed.person.external_id, deed.activity.event, day.at, idempotency_key=day.key)
        for deed in day.deeds
        if deed.activity.event is not None
    ]
    emit_batch(tenant=tenant, events=events, refused={}, now=day.at)


@restartable
def _give_badges(*, tenant: Tenant, day: _Day) -> None:
    if not day.badges:
        return
    catalog = catalog_of(tenant)
    codes = {code for earned in day.badges.values() for code in earned} & set(active_badges(catalog))
    loads = badges.loads_for(catalog, codes)
    with unit_of_work(tenant, day.badges, now=day.at, loads=loads) as work:
        for external_id, earned in day.badges.items():
            for code in codes.intersection(earned):
                badges.grant(work, work.participant(external_id), code)
