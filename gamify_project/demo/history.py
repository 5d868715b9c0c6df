"""Creates the history of the demo through the services, day by day."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from gamify.badges import services as badges
from gamify.badges.selectors import active_badges
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit_batch
from gamify.points.services import AWARD_BATCH, Change, award_batch
from gamify.tiers.services import Assignment, TierNotFound, assign
from gamify_project.blueprints import create_missing
from gamify_project.demo import definitions
from gamify_project.demo.cast import COFFEE, MUG, Deed, Diary, Person, deeds, people, wishes
from gamify_project.demo.surroundings import prepare
from participants.catalog import catalog_of
from participants.errors import DomainError
from participants.figures import today_of
from participants.models import IdempotencyKey, Participant, Tenant
from participants.selectors import tenant_by_slug
from participants.services import participants
from participants.services.figures import rebuild, record_present
from participants.services.tenants import create_tenant
from participants.work import restartable, unit_of_work
from rewards.models import Claim, ClaimStatus, Reward
from rewards.services import claim, fulfil
from streaks.selectors import streaks_in
from streaks.selectors.due import BREAKS, RISKS
from streaks.services import Tick, record_many, sweep

SLUG = "demo"
PEOPLE = 200
DAYS = 90
DAY = timedelta(days=1)
DAY_KEY = "demo-day-"
EVENING = timedelta(hours=11, minutes=59)
SHOWN_DAYS = 30
COFFEE_RATED = "coffee_rated"


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
    mugs: Sequence[Person]

    @property
    def key(self) -> str:
        return _key(self.at)


def make_demo(*, now: datetime, number: int = PEOPLE, days: int = DAYS) -> DemoResult:
    """Fill the tenant `demo` with the `days` days before its creation, and all days since. Safe to repeat and to interrupt."""
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name="Demo", now=now)
    since = tenant.created_at - days * DAY
    create_missing(tenant, (*definitions.ALL, *definitions.boosts(created_at=tenant.created_at)), now=since)
    prepare(tenant, now=now)
    completed = _completed_days(tenant)
    missing = [day for day in _history(people(number), since=since, until=now) if day.key not in completed]
    for day in missing:
        _replay_day(tenant, day)
        _compute_figures(tenant, at=min(day.at + EVENING, now), now=now)
    if missing:
        _rebuild(tenant, days=SHOWN_DAYS, now=now)
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
    wished = [(person, diaries[person.external_id], *wishes(person, at=at)) for person in cast]
    coffees = [person for person, diary, coffee, _ in wished if coffee and diary.pay(COFFEE)]
    mugs = [person for person, diary, _, mug in wished if mug and diary.pay(MUG)]
    newcomers = [deed.person for deed in done if diaries[deed.person.external_id].is_empty]
    earned = {deed.person.external_id: diaries[deed.person.external_id].write(deed) for deed in done}
    return _Day(at, done, {name: codes for name, codes in earned.items() if codes}, newcomers, coffees, mugs)


# --- figures ----------------------------------------------------------------------------------------------------------


def _compute_figures(tenant: Tenant, *, at: datetime, now: datetime) -> None:
    """Store the figures that can be measured on their own day only, so that the overview has a past.

    Domain events of longer ago than the retention are not counted, so everything before the last 30 days is measured at their begin.
    """
    age = (today_of(tenant, now) - today_of(tenant, at)).days
    if age == SHOWN_DAYS + 1:
        _rebuild(tenant, days=SHOWN_DAYS, now=at)
    elif age == SHOWN_DAYS:
        _rebuild(tenant, days=0, now=at)
    elif 0 < age < SHOWN_DAYS:
        record_present(tenant=tenant, now=at)


def _rebuild(tenant: Tenant, *, days: int, now: datetime) -> None:
    """Compute the day of `now`, and the `days` days before it."""
    for _ in rebuild(tenant=tenant, since=today_of(tenant, now) - days * DAY, now=now):
        pass


# --- a day ------------------------------------------------------------------------------------------------------------


def _replay_day(tenant: Tenant, day: _Day) -> None:
    _announce_breaks(tenant, at=day.at)
    for person in day.newcomers:
        _introduce(tenant, person, at=day.at)
    _claim(tenant, definitions.COFFEE, day.coffees, at=day.at)
    _fulfil_mugs(tenant, at=day.at)
    _claim(tenant, definitions.MUG, day.mugs, at=day.at)
    _tick(tenant, day)
    _report_events(tenant, day)
    _give_badges(tenant=tenant, day=day)
    changes = [Change(deed.person.external_id, deed.activity.amount, reason=deed.activity.reason) for deed in day.deeds]
    award_batch(tenant=tenant, changes=changes, refused={}, key=day.key, now=day.at)


def _announce_breaks(tenant: Tenant, *, at: datetime) -> None:
    """Do what the sweeps do every minute, so that each break is announced on its day, and not today."""
    for kind in (RISKS, BREAKS):
        for _ in sweep(tenant=tenant, kind=kind, now=at):
            pass


def _introduce(tenant: Tenant, person: Person, *, at: datetime) -> None:
    changes = {"display_name": person.display_name, "attributes": {"plan": person.plan}}
    participants.register(tenant=tenant, external_id=person.external_id, changes=changes, now=at)
    if person.is_founder:
        with contextlib.suppress(TierNotFound):
            assign(tenant=tenant, assignment=Assignment(person.external_id, "founder", "From the start"), now=at)


def _claim(tenant: Tenant, code: str, claimants: Sequence[Person], *, at: datetime) -> None:
    """Claim a reward for points. Refusals are ignored: the user of the demo may have spent the points, or changed the reward."""
    reward = Reward.objects.of(tenant).get(code=code)
    for person in claimants:
        with contextlib.suppress(DomainError):
            claim(
                tenant=tenant,
                reward_id=str(reward.pk),
                participant_id=person.external_id,
                deducts_points=True,
                key=f"demo-{code}-{at:%Y-%m-%d}",
                now=at,
            )


def _fulfil_mugs(tenant: Tenant, *, at: datetime) -> None:
    """Send the mugs of the days before."""
    mugs = Claim.objects.filter(tenant_id=tenant.pk, reward__code=definitions.MUG, status=ClaimStatus.CLAIMED)
    for claim_id in mugs.filter(claimed_at__lt=at).values_list("pk", flat=True):
        with contextlib.suppress(DomainError):
            fulfil(tenant=tenant, claim_id=str(claim_id), reason="Sent", now=at)


def _tick(tenant: Tenant, day: _Day) -> None:
    known = streaks_in(catalog_of(tenant)).by_code
    ticks = [Tick(deed.person.external_id, code, day.at) for deed in day.deeds for code in deed.streaks]
    open_ticks = [tick for tick in ticks if tick.streak_code in known and known[tick.streak_code].is_active]
    record_many(tenant=tenant, ticks=open_ticks, now=day.at)


def _report_events(tenant: Tenant, day: _Day) -> None:
    """Report the events of the day, which rules and the challenge count, and those that nothing uses."""
    events = [EventInput(person.external_id, COFFEE_RATED, day.at, idempotency_key=day.key) for person in day.coffees]
    events += [
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
