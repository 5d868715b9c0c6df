"""One tenant with rows on every page of the console, with values that are hard to show."""

from datetime import timedelta
from typing import Any

from axes.models import AccessAttempt
from django.apps import apps
from django.contrib import admin
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.badges.services import create_badge
from gamify.challenges.models import Challenge
from gamify.facts.engine.events import EventInput
from gamify.facts.services import emit
from gamify.leaderboards.services import create_leaderboard
from gamify.points.models import Boost
from gamify.rules.models import Rule
from gamify.tiers.models import Tier
from gamify.webhooks.models import Delivery
from gamify.webhooks.services import create_endpoint
from gamify_project.exports.requests import checked_request
from gamify_project.exports.services import create_export
from gamify_project.undo.services import Cause, UndoRequest, ask
from participants.models import DomainEvent, Participant, Tenant
from participants.services.definitions import create_definition, update_definition
from participants.services.hmac import create_hmac_secret
from participants.services.keys import create_api_key
from participants.services.memberships import give_role
from rewards.services import add_codes, claim, create_reward
from streaks.models import Streak
from streaks.services import create_streak, declare_amnesty, update_streak
from tests.factories import TenantFactory, objective

PASSWORD = "correct horse battery"
CODE, FREE_CODE = "SAVE10-ABC123", "SAVE10-FREE77"
NESTED = {"amount": 12.5, "order": {"total": 12, "items": [{"sku": "a", "n": 1}, "b"], "gift": None}, "is_first": True}
ANY_OF = {
    "or": [
        {"condition": {"field": "amount", "operator": "gte", "value": 10}},
        {"not": {"condition": {"field": "plan", "operator": "in", "value": ["pro", "team"]}}},
    ]
}
ALL_OF = {
    "and": [
        {"condition": {"field": "amount", "operator": "gte", "value": 10}},
        {"condition": {"field": "participant.plan", "operator": "eq", "value": "pro"}},
    ]
}
FILTER = {"plan": "pro", "amount": {"gte": 10}, "beta": {"exists": True}}


def make_world() -> Tenant:
    tenant = make_tenant("acme")
    _staff_rows(tenant)
    return tenant


def make_tenant(slug: str) -> Tenant:
    """A tenant with rows on every page that is about one tenant."""
    tenant = TenantFactory(slug=slug, name=slug.title())
    _define(tenant)
    reward = _reward(tenant)
    _give_reward(tenant, reward)
    create_endpoint(tenant=tenant, data={"url": "http://127.0.0.1:9/hook", "event_types": ["*"]}, now=timezone.now())
    _happen(tenant, reward)
    _tried_deliveries(tenant)
    _care(tenant)
    _exports(tenant)
    _undo(tenant)
    _callers(tenant)
    member = User.objects.create_user(f"member-of-{slug}", is_staff=True)
    give_role(tenant=tenant, user=member, role="viewer", now=timezone.now())
    return tenant


def _define(tenant: Tenant) -> None:
    now = timezone.now()
    badges: list[dict[str, Any]] = [
        {"code": "given", "name": "Given"},
        {"code": "earner", "name": "Earner", "criteria": {"metric": "total_earned", "min": 1000}},
        {
            "code": "buyer",
            "name": "Buyer",
            "criteria": {
                "metric": "event_sum",
                "min": 500,
                "event_name": "purchase",
                "field": "amount",
                "filter": FILTER,
            },
        },
    ]
    for badge in badges:
        create_badge(tenant=tenant, data=badge, now=now)
    definitions: list[tuple[Any, dict[str, Any]]] = [
        (
            Tier,
            {"code": "bronze", "name": "Bronze", "level": 1, "criteria_config": {"min_points": 0}, "color": "#CD7F32"},
        ),
        (Tier, {"code": "founder", "name": "Founder", "level": 2, "award_type": "manual", "benefits": ["a", "b"]}),
        (Rule, _rule("big", when={"expression": ALL_OF}, limits={"per_day": 3, "cooldown_seconds": 600})),
        (Rule, _rule("odd", when={"expression": ANY_OF, "changes": ["tier.upgraded"]}, limits={})),
        (Boost, {"code": "double", "name": "Double", "multiplier": 2}),
        (Challenge, _challenge()),
    ]
    for model, data in definitions:
        create_definition(model, noun=model._meta.verbose_name, tenant=tenant, data=data, now=now)
    _define_streaks(tenant)
    selector = {"event_name": "purchase", "field": "amount", "filter": FILTER}
    data = {"code": "spenders", "name": "Spenders", "metric": "event_sum", "selector": selector}
    create_leaderboard(tenant=tenant, data={**data, "participant_filter": {"team": "red"}}, now=now)


def _rule(code: str, *, when: dict[str, Any], limits: dict[str, Any]) -> dict[str, Any]:
    grants = [{"type": "points", "amount": 10}, {"type": "points", "field": "amount", "factor": 1.5, "max": 500}]
    return {"code": code, "name": code.title(), "event_types": ["purchase"], "grants": grants, "limits": limits, **when}


def _challenge() -> dict[str, Any]:
    return {
        "code": "tour",
        "name": "Tour",
        "objectives": [
            objective("purchase", 3, expression=ALL_OF),
            objective("spend", 100, type="sum", of={"field": "amount"}, expression=ANY_OF, prerequisites=["purchase"]),
        ],
        "milestones": [{"objectives": 1, "grants": [{"type": "badge", "code": "given"}]}],
        "completion_grants": [{"type": "points", "amount": 100}],
    }


def _define_streaks(tenant: Tenant) -> None:
    streaks: list[dict[str, Any]] = [
        {
            "code": "weekly",
            "name": "Weekly",
            "event_types": ["purchase"],
            "period": "weekly",
            "timezone": "Europe/Berlin",
            "reset_time": "04:00",
            "week_start": 6,
            "fact_filter": FILTER,
            "at_risk_seconds": 7200,
            "milestones": [{"threshold": 4, "reward_item_id": None, "repeatable": False}],
        },
        {
            "code": "rolling",
            "name": "Rolling",
            "event_types": ["*"],
            "period": "rolling",
            "duration_seconds": 129_600,
            "expression": ANY_OF,
            "condition": {"type": "sum", "min": 5, "field": "amount"},
        },
        {"code": "daily", "name": "Daily", "event_types": ["*"]},
    ]
    for streak in streaks:
        create_streak(tenant=tenant, data=streak, now=timezone.now())


def _reward(tenant: Tenant) -> str:
    now = timezone.now()
    multiplier = {"multiplier": 2, "duration_hours": 24}
    data = {"name": "Happy day", "reward_type": "points_multiplier", "config": multiplier}
    create_reward(tenant=tenant, data=data, now=now)
    coupon = create_reward(tenant=tenant, data={"name": "Coupon", "reward_type": "coupon"}, now=now)
    add_codes(tenant=tenant, reward_id=str(coupon.pk), codes=[CODE, FREE_CODE], now=now)
    return str(coupon.pk)


def _give_reward(tenant: Tenant, reward_id: str) -> None:
    """A rule, a challenge and a milestone of a streak give the reward, which they name by its id."""
    now, grant = timezone.now(), {"type": "reward", "id": reward_id}
    gift = _rule("gift", when={}, limits={}) | {"event_types": ["birthday"], "grants": [grant]}
    create_definition(Rule, noun="rule", tenant=tenant, data=gift, now=now)
    tour = Challenge.objects.of(tenant).get()
    milestones = [{"objectives": 1, "grants": [grant]}]
    update_definition(tour, tenant=tenant, changes={"milestones": milestones, "completion_grants": [grant]}, now=now)
    milestone = {"threshold": 4, "reward_item_id": reward_id, "repeatable": False}
    weekly = Streak.objects.of(tenant).get(code="weekly")
    update_streak(weekly, tenant=tenant, changes={"milestones": [milestone]}, now=now)


def _happen(tenant: Tenant, reward_id: str) -> None:
    tenant.refresh_from_db()
    now = timezone.now()
    for number, who in enumerate(("ada", "bob")):
        event = EventInput(who, "purchase", now - timedelta(minutes=number), NESTED)
        emit(tenant=tenant, event=event, now=now)
    claim(tenant=tenant, reward_id=reward_id, participant_id="ada", now=now)
    ada = Participant.objects.of(tenant).get(external_id="ada")
    ada.attributes = {"plan": "pro", "address": {"city": "Berlin", "lines": ["a", "b"]}}
    ada.save()


def _tried_deliveries(tenant: Tenant) -> None:
    """A delivery with three attempts that waits, because it was replayed after two. The other deliveries wait for their first attempt."""
    event = DomainEvent.objects.filter(tenant_id=tenant.pk, type="reward.claimed").get()
    now = timezone.now()
    tries = [[f"2026-11-29T10:00:0{second}Z", 500, 20, None] for second in range(3)]
    endpoint = apps.get_model("webhooks", "Endpoint").objects.get(tenant_id=tenant.pk)
    Delivery.objects.create(
        tenant=tenant, endpoint=endpoint, event=event, type=event.type, tries=1, log=tries, due_at=now, created_at=now
    )  # fmt: skip


def _care(tenant: Tenant) -> None:
    now = timezone.now()
    about = {"name": "Outage", "from_on": now.date(), "to_on": now.date(), "timezone": "UTC", "streak_codes": None}
    declare_amnesty(tenant=tenant, data={**about, "reason": "It was down."}, now=now)


def _undo(tenant: Tenant) -> None:
    now = timezone.now()
    ask(tenant=tenant, request=UndoRequest(Cause("api_key", "1"), now - timedelta(days=1), is_dry_run=True), now=now)


def _exports(tenant: Tenant) -> None:
    wanted = checked_request({"kind": "ledger", "filters": {"participant_id": "ada"}})
    create_export(tenant=tenant, wanted=wanted, now=timezone.now())


def _callers(tenant: Tenant) -> None:
    now = timezone.now()
    create_api_key(tenant=tenant, name="shop", scopes=(), now=now)
    create_hmac_secret(tenant=tenant, name="partner", now=now)


def _staff_rows(tenant: Tenant) -> None:
    Group.objects.create(name="support")
    AccessAttempt.objects.create(username="ops", ip_address="192.0.2.1", failures_since_start=3)
    owner = User.objects.create_superuser("owner", password=PASSWORD)
    badge = Badge.objects.of(tenant).first()
    assert badge is not None
    LogEntry.objects.create(
        user=owner,
        content_type=ContentType.objects.get_for_model(Badge),
        object_id=str(badge.pk),
        object_repr=str(badge),
        action_flag=CHANGE,
        change_message='[{"changed": {"fields": ["Name"]}}]',
    )


REGISTERED = sorted(admin.site._registry, key=lambda model: model._meta.label_lower)
APPS = sorted({model._meta.app_label for model in REGISTERED})


def make_staff(role: str) -> User:
    """`superuser`; `viewer`, who may view everything; `support`, who may view participants alone; else the name of an app, of which
    they may do everything."""
    if role == "superuser":
        return User.objects.get(username="owner")
    user = User.objects.create_user(role, password=PASSWORD, is_staff=True)
    user.user_permissions.set(_permissions(role))
    return user


def _permissions(role: str) -> Any:
    if role == "viewer":
        return Permission.objects.filter(codename__startswith="view_")
    if role == "support":
        return Permission.objects.filter(codename="view_participant")
    return Permission.objects.filter(content_type__app_label=role)
