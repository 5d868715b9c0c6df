"""The demo's history, lived through the services day by day."""

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
class DemoMade:
    """How much there is after a run; a second run on the same day adds nothing."""

    tenant: Tenant
    participants: int
    points: int


@dataclass(frozen=True)
class _Day:
    """What one day adds: deeds, and what they earn beside points."""

    at: datetime
    deeds: Sequence[Deed]
    badges: Mapping[str, Sequence[str]]
    newcomers: Sequence[Person]
    coffees: Sequence[Person]

    @property
    def key(self) -> str:
        return _key(self.at)


def make_demo(*, now: datetime, number: int = PEOPLE, days: int = DAYS) -> DemoMade:
    """Fill the tenant `demo` with the `days` days before it was made, and those since; safe to repeat and to interrupt."""
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name="Demo", now=now)
    create_missing(tenant, definitions.ALL, now=now)
    lived = _days_lived(tenant)
    for day in _history(people(number), since=tenant.created_at - days * DAY, until=now):
        if day.key not in lived:
            _live(tenant, day)
    rows = Participant.objects.of(tenant)
    return DemoMade(tenant, rows.count(), sum(rows.values_list("balance", flat=True)))


def wants_days(*, now: datetime) -> bool:
    """Whether a start should go on with the demo: it is new, or begun and not yet at today. At most three queries.

    A tenant `demo` that has a life of its own is somebody's, and is filled on demand only.
    """
    tenant = tenant_by_slug(SLUG)
    if tenant is None:
        return True
    lived = _days_lived(tenant)
    if not lived:
        return not Participant.objects.of(tenant).exists()
    newest = _noon(now) if now > _noon(now) else _noon(now) - DAY
    return _key(newest) not in lived


def _days_lived(tenant: Tenant) -> set[str]:
    """The points of a day come last, under the day's key, which is kept for ever: where it is, the day is complete."""
    keys = IdempotencyKey.objects.filter(tenant=tenant, subject=tenant.pk, operation=AWARD_BATCH)
    return set(keys.filter(key__startswith=DAY_KEY).values_list("key", flat=True))


def _key(at: datetime) -> str:
    return f"{DAY_KEY}{at:%Y-%m-%d}"


def _noon(at: datetime) -> datetime:
    return at.replace(hour=12, minute=0, second=0, microsecond=0)


def _history(cast: Sequence[Person], *, since: datetime, until: datetime) -> Iterator[_Day]:
    """Told from the beginning each time, so that a later run knows what was earned before it."""
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


def _live(tenant: Tenant, day: _Day) -> None:
    for person in day.newcomers:
        _introduce(tenant, person, at=day.at)
    for person in day.coffees:
        _buy_coffee(tenant, person, at=day.at)
    _tick(tenant, day)
    _tell(tenant, day)
    _give_badges(tenant=tenant, day=day)
    changes = [Change(deed.person.external_id, deed.amount, reason=deed.reason) for deed in day.deeds]
    award_batch(tenant=tenant, changes=changes, refused={}, key=day.key, now=day.at)


def _introduce(tenant: Tenant, person: Person, *, at: datetime) -> None:
    changes = {"display_name": person.display_name, "attributes": {"plan": person.plan}}
    participants.register(tenant=tenant, external_id=person.external_id, changes=changes, now=at)
    if person.is_founder:
        with contextlib.suppress(TierNotFound):
            assign(tenant=tenant, assignment=Assignment(person.external_id, "founder", "From the start"), now=at)


def _buy_coffee(tenant: Tenant, person: Person, *, at: datetime) -> None:
    """Whoever plays with the demo may have spent the points already, or switched a tier, badge or streak off."""
    key = f"demo-coffee-{at:%Y-%m-%d}"
    change = Change(person.external_id, COFFEE, reason="Redeemed a coffee", idempotency_key=key)
    with contextlib.suppress(InsufficientPoints):
        deduct(tenant=tenant, change=change, now=at)


def _tick(tenant: Tenant, day: _Day) -> None:
    known = streaks_in(catalog_of(tenant)).by_code
    ticks = [Tick(deed.person.external_id, code, day.at) for deed in day.deeds for code in deed.streaks]
    open_ticks = [tick for tick in ticks if tick.streak_code in known and known[tick.streak_code].is_active]
    record_many(tenant=tenant, ticks=open_ticks, now=day.at)


def _tell(tenant: Tenant, day: _Day) -> None:
    """What their application tells of it, on which the challenge lives."""
    events = [
        EventInput(deed.person.external_id, deed.event, day.at, idempotency_key=day.key)
        for deed in day.deeds
        if deed.event is not None
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
