"""Programmes for tests."""

from typing import Any

from django.utils import timezone

from gamify_project.programme.files import read_programme
from gamify_project.programme.planning import Plan, plan_import
from gamify_project.programme.services import apply_plan
from participants.api.kinds import definition_kinds
from participants.models import Tenant

EVERYTHING = """\
version: 1
boosts:
  - code: happy_hour
    name: Happy hour
    multiplier: 1.5
    starts_at: 2026-12-01T18:00:00Z
    ends_at: 2026-12-01T19:00:00+00:00
tiers:
  - code: bronze
    name: Bronze
    level: 1
    criteria_config: {min_points: 0}
  - code: founder
    name: Founder
    level: 9
    award_type: manual
    points_multiplier: 1.25
    benefits: [A mug, "Yes: more"]
badges:
  - code: "on"
    name: First steps
    description: |
      Two lines
      of text.
    rarity: epic
  - code: faithful
    name: Faithful
    criteria: {metric: streak_count, min: 7, streak_code: daily}
challenges:
  - code: tour
    name: Tour
    duration_type: fixed
    starts_at: 2026-01-01T00:00:00Z
    ends_at: 2027-01-01T00:00:00Z
    objectives:
      - {code: buy, label: Buy, event_types: [purchase], condition: {type: sum, field: amount, min: 12.5}}
      - {code: tell, label: Tell, event_types: [share], prerequisites: [buy]}
    milestones:
      - {objectives: 1, grants: [{type: badge, code: "on"}]}
    completion_grants:
      - {type: reward, code: mug}
      - {type: points, field: amount, factor: 1.5, max: 500}
leaderboards:
  - code: faithful
    name: The faithful
    metric: streak_current
    selector: {streak_code: daily}
    timezone: Europe/Berlin
    participant_filter: {city: Berlin}
rules:
  - code: welcome
    name: Welcome
    priority: 5
    when:
      event_types: [signup]
      expression:
        or:
          - condition: {field: plan, operator: in, value: [pro, "1"]}
          - not: {condition: {field: participant.beta, operator: exists, value: false}}
    then:
      - {type: reward, code: mug}
      - {type: tier, code: founder}
      - {type: streak_tick, code: daily}
    limits: {ever: 1}
webhooks:
  - url: https://hooks.example.com/all
    event_types: ["*"]
  - url: https://hooks.example.com/all
    event_types: [streak.*]
    is_active: false
streaks:
  - code: daily
    name: Daily
    status: paused
    event_types: [login]
    window: {type: calendar, period: daily, timezone: Europe/Berlin, reset_time: "04:00"}
    milestones:
      - {threshold: 7, reward_code: mug, repeatable: true}
      - {threshold: 30}
  - code: rolling
    name: Rolling
    status: draft
    event_types: ["*"]
    fact_filter: {amount: {gte: 10}}
    window: {type: rolling, duration_seconds: 129600}
    condition: {type: distinct, field: sku, min: 3}
rewards:
  - code: mug
    name: A mug
    type: physical
    is_active: false
    points_cost: 500
    has_inventory: true
  - code: double
    name: Double points
    type: points_multiplier
    config: {multiplier: 2, duration_hours: 24}
    max_claims_per_user: null
"""


def planned(tenant: Tenant, text: str, *, prunes: bool = False) -> Plan:
    return plan_import(tenant, read_programme(text.encode()), prunes=prunes)


def imported(tenant: Tenant, text: str, *, prunes: bool = False) -> Plan:
    return apply_plan(planned(tenant, text, prunes=prunes), by="a test", now=timezone.now())


def faults_of(error: Any) -> list[tuple[int, str, str]]:
    return [(fault.line, fault.path, fault.message) for fault in error.value.faults]


def rows_of(tenant: Tenant) -> dict[str, list[Any]]:
    """Return all definitions of `tenant`, column by column."""
    return {
        kind.noun: list(kind.model._default_manager.filter(tenant_id=tenant.pk).order_by("pk").values_list())
        for kind in definition_kinds.values()
    }
