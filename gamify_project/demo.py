"""Demo data: a tenant that looks lived in. Made through the services, so that it obeys every rule; the same every time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random

from gamify.points.services import Change, award_batch, deduct
from participants.models import Participant, Tenant
from participants.selectors import tenant_by_slug
from participants.services import participants
from participants.services.tenants import create_tenant

SLUG = "demo"
SEED = 20260214
PEOPLE = 200
DAYS = 90
BATCH = 100
COFFEE = 100

FIRST_NAMES = ("Ada", "Bo", "Chen", "Dina", "Emil", "Fatou", "Goran", "Hana", "Ines", "Jun", "Kofi", "Lena", "Mara")
LAST_NAMES = ("Adler", "Brandt", "Costa", "Diallo", "Eriksen", "Fujita", "García", "Haddad", "Ivanova", "Jensen")
PLANS = ("free", "free", "free", "pro", "enterprise")
REASONS = (("Completed a lesson", 20), ("Daily login", 5), ("Purchase completed", 120), ("Invited a friend", 250))


@dataclass(frozen=True)
class DemoMade:
    """How much there is after a run; a second run adds nothing."""

    tenant: Tenant
    participants: int
    points: int


@dataclass(frozen=True)
class _Person:
    external_id: str
    display_name: str
    plan: str
    liveliness: float


def make_demo(*, now: datetime, people: int = PEOPLE, days: int = DAYS) -> DemoMade:
    """Fill the tenant `demo` with the `days` days before it was made, and those since; safe to repeat."""
    tenant = tenant_by_slug(SLUG) or create_tenant(slug=SLUG, name="Demo", now=now)
    cast = [_person(number) for number in range(people)]
    wallets = dict.fromkeys((person.external_id for person in cast), 0)
    for at in _noons(tenant.created_at - timedelta(days=days), until=now):
        _live_a_day(tenant, cast, wallets, at=at)
    for person in cast:
        _introduce(tenant, person, now=now)
    rows = Participant.objects.of(tenant)
    return DemoMade(tenant, rows.count(), sum(rows.values_list("balance", flat=True)))


def _noons(since: datetime, *, until: datetime) -> Iterator[datetime]:
    noon = since.replace(hour=12, minute=0, second=0, microsecond=0)
    while noon < until:
        yield noon
        noon += timedelta(days=1)


def _person(number: int) -> _Person:
    random = Random(f"{SEED}-{number}")  # noqa: S311 - the same demo for everyone
    name = f"{random.choice(FIRST_NAMES)} {random.choice(LAST_NAMES)}"
    return _Person(f"demo_{number:03}", name, random.choice(PLANS), liveliness=random.betavariate(1.2, 3))


def _introduce(tenant: Tenant, person: _Person, *, now: datetime) -> None:
    changes = {"display_name": person.display_name, "attributes": {"plan": person.plan}}
    participants.register(tenant=tenant, external_id=person.external_id, changes=changes, now=now)


def _live_a_day(tenant: Tenant, cast: Sequence[_Person], wallets: dict[str, int], *, at: datetime) -> None:
    """Keys are by date, and `wallets` follow the whole history: a later run adds the days since and repeats nothing."""
    awards = [change for person in cast for change in _earned(person, at=at)]
    for start in range(0, len(awards), BATCH):
        award_batch(tenant=tenant, changes=awards[start : start + BATCH], refused={}, key=None, now=at)
    for change in awards:
        wallets[change.participant_id] += change.amount
    for person in cast:
        if _wants_coffee(person, at=at) and wallets[person.external_id] >= COFFEE:
            wallets[person.external_id] -= COFFEE
            _buy_coffee(tenant, person, at=at)


def _earned(person: _Person, *, at: datetime) -> Iterator[Change]:
    random = Random(f"{SEED}-{person.external_id}-{at:%Y-%m-%d}")  # noqa: S311 - the same demo for everyone
    if random.random() < person.liveliness:
        reason, amount = random.choices(REASONS, weights=(6, 10, 3, 1))[0]
        yield Change(person.external_id, amount, reason=reason, idempotency_key=f"demo-earn-{at:%Y-%m-%d}")


def _wants_coffee(person: _Person, *, at: datetime) -> bool:
    random = Random(f"{SEED}-{person.external_id}-{at:%Y-%m-%d}-coffee")  # noqa: S311 - the same demo for everyone
    return random.random() < person.liveliness / 20


def _buy_coffee(tenant: Tenant, person: _Person, *, at: datetime) -> None:
    key = f"demo-coffee-{at:%Y-%m-%d}"
    change = Change(person.external_id, COFFEE, reason="Redeemed a coffee", idempotency_key=key)
    deduct(tenant=tenant, change=change, now=at)
