"""Rows for tests, with the least that is valid. What has rules is made by the service that knows them."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone

from gamify.badges.models import Badge, BadgeAward
from gamify.challenges.models import Challenge
from gamify.facts.models import Event
from gamify.points.models import Boost, EntryType, LedgerEntry
from gamify.rules.models import Rule
from gamify.tiers.models import Tier
from participants.models import ApiKey, Participant, Tenant
from participants.services.hmac import NewSecret, create_hmac_secret
from participants.services.keys import NewKey, create_api_key
from participants.services.tenants import create_tenant


class TenantFactory(factory.django.DjangoModelFactory[Tenant]):
    """A live tenant and its sandbox twin. Caps and status are set after the service has made both."""

    class Meta:
        model = Tenant

    slug = factory.Sequence(lambda number: f"tenant-{number}")
    name = factory.LazyAttribute(lambda tenant: tenant.slug.title())

    @classmethod
    def _create(cls, model_class: type[Tenant], *args: Any, **kwargs: Any) -> Tenant:
        fields = {name: kwargs.pop(name) for name in ("slug", "name", "timezone") if name in kwargs}
        tenant = create_tenant(**fields, now=timezone.now())
        for name, value in kwargs.items():
            setattr(tenant, name, value)
        tenant.save()
        return tenant


def raw_key(tenant: Tenant, *scopes: str, **given: Any) -> str:
    """A new key of `tenant`, as its owner sees it."""
    return made_key(tenant, *scopes, **given).key


def made_key(tenant: Tenant, *scopes: str, **given: Any) -> NewKey:
    """A new key of `tenant`, with its row; `expires_at` may lie in the past."""
    expires_at = given.pop("expires_at", None)
    created = create_api_key(tenant=tenant, scopes=scopes, now=timezone.now(), **given)
    if expires_at is not None:
        created_at = min(created.row.created_at, expires_at - timedelta(days=1))
        ApiKey.objects.filter(pk=created.row.pk).update(expires_at=expires_at, created_at=created_at)
    return created


def made_secret(tenant: Tenant, **given: Any) -> NewSecret:
    """A new secret for partners of `tenant`, with its row."""
    return create_hmac_secret(tenant=tenant, now=timezone.now(), **given)


class ParticipantFactory(factory.django.DjangoModelFactory[Participant]):
    """A participant who has done nothing yet; `points` gives a balance with the entry that explains it."""

    class Meta:
        model = Participant
        skip_postgeneration_save = True

    tenant = factory.SubFactory(TenantFactory)
    external_id = factory.Sequence(lambda number: f"user_{number}")
    first_seen_at = factory.LazyFunction(timezone.now)
    last_seen_at = factory.SelfAttribute("first_seen_at")

    @factory.post_generation
    def points(participant, create: bool, points: int | None, **kwargs: Any) -> None:  # noqa: N805 - factory-boy's way
        if points:
            LedgerEntryFactory(participant=participant, delta=points)


class LedgerEntryFactory(factory.django.DjangoModelFactory[LedgerEntry]):
    """The next entry of a participant, whose totals it moves along."""

    class Meta:
        model = LedgerEntry

    participant = factory.SubFactory(ParticipantFactory)
    tenant = factory.SelfAttribute("participant.tenant")
    number = factory.LazyAttribute(lambda entry: entry.participant.ledger_count + 1)
    type = factory.LazyAttribute(lambda entry: EntryType.AWARD if entry.delta > 0 else EntryType.DEDUCT)
    delta = 100
    balance_after = factory.LazyAttribute(lambda entry: entry.participant.balance + entry.delta)
    created_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **kwargs: Any) -> LedgerEntry:
        entry: LedgerEntry = super()._create(model_class, *args, **kwargs)
        owner = entry.participant
        owner.balance, owner.ledger_count = entry.balance_after, entry.number
        owner.total_earned += max(entry.delta, 0)
        owner.total_spent += max(-entry.delta, 0)
        owner.save()
        return entry


class BadgeFactory(factory.django.DjangoModelFactory[Badge]):
    """A badge that is given. Made before the tenant's catalog is read first: nobody is told of it."""

    class Meta:
        model = Badge

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence(lambda number: f"badge_{number}")
    name = factory.LazyAttribute(lambda badge: badge.code.replace("_", " ").title())
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class BoostFactory(factory.django.DjangoModelFactory[Boost]):
    """Two times as many points, always; made where no catalog has been read yet."""

    class Meta:
        model = Boost

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence(lambda number: f"boost_{number}")
    name = factory.LazyAttribute(lambda boost: boost.code.replace("_", " ").title())
    multiplier = 2
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class BadgeAwardFactory(factory.django.DjangoModelFactory[BadgeAward]):
    """A badge that someone has."""

    class Meta:
        model = BadgeAward

    participant = factory.SubFactory(ParticipantFactory)
    tenant = factory.SelfAttribute("participant.tenant")
    badge = factory.SubFactory(BadgeFactory, tenant=factory.SelfAttribute("..tenant"))
    earned_at = factory.LazyFunction(timezone.now)


class TierFactory(factory.django.DjangoModelFactory[Tier]):
    """An automatic tier, reached at ten thousand points; made where no catalog has been read yet."""

    class Meta:
        model = Tier

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence(lambda number: f"tier_{number}")
    name = factory.LazyAttribute(lambda tier: tier.code.title())
    level = 4
    criteria_config = factory.LazyFunction(lambda: {"min_points": 10_000})
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class RuleFactory(factory.django.DjangoModelFactory[Rule]):
    """A rule that gives ten points for every purchase; made where no catalog has been read yet."""

    class Meta:
        model = Rule

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence(lambda number: f"rule_{number}")
    name = factory.LazyAttribute(lambda rule: rule.code.replace("_", " ").title())
    event_types = factory.LazyFunction(lambda: ["purchase"])
    grants = factory.LazyFunction(lambda: [{"type": "points", "amount": 10}])
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class ChallengeFactory(factory.django.DjangoModelFactory[Challenge]):
    """A perpetual challenge that one `login` completes; made where no catalog has been read yet."""

    class Meta:
        model = Challenge

    tenant = factory.SubFactory(TenantFactory)
    code = factory.Sequence(lambda number: f"challenge_{number}")
    name = factory.LazyAttribute(lambda challenge: challenge.code.replace("_", " ").title())
    objectives = factory.LazyFunction(lambda: [objective("login")])
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


def objective(code: str, minimum: float = 1, **given: Any) -> dict[str, Any]:
    """An objective as it is stored: so many events that are called like it."""
    condition = {"type": given.pop("type", "count"), "min": minimum, **given.pop("of", {})}
    about = {"label": code.title(), "event_types": [code], "expression": None, "prerequisites": []}
    return {"code": code, "condition": condition, **about, **given}


class EventFactory(factory.django.DjangoModelFactory[Event]):
    """Something that happened just now, and was told of at once."""

    class Meta:
        model = Event

    participant = factory.SubFactory(ParticipantFactory)
    tenant = factory.SelfAttribute("participant.tenant")
    name = "login"
    occurred_at = factory.LazyFunction(timezone.now)
    created_at = factory.SelfAttribute("occurred_at")
