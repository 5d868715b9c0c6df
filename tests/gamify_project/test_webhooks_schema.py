"""The webhooks of the OpenAPI document. tests/told.py checks everywhere that emitted events match it."""

import re

import jsonschema_rs
import pytest

from gamify_project.openapi.webhooks import describe_webhooks
from participants.events import event_types
from tests.told import schemas, validator

PROMISED = [
    "event.recorded", "points.awarded", "points.deducted", "points.expired", "tier.upgraded", "tier.assigned", "badge.awarded",
    "streak.incremented", "streak.broken", "streak.restored", "streak.milestone_reached", "streak.at_risk",
    "challenge.enrolled", "challenge.completed", "reward.claimed", "reward.fulfilled", "participant.created",
    "participant.anonymized",
]  # fmt: skip
SPECIFIED = {
    "streak.incremented": ("user_id", "definition_id", "new_count"),
    "streak.broken": ("user_id", "definition_id", "final_count"),
    "streak.milestone_reached": ("user_id", "definition_id", "threshold", "reward_id"),
    "streak.at_risk": ("user_id", "definition_id", "current_count", "window_ends_at"),
}


def test_every_event_type_is_described():
    assert set(PROMISED) <= schemas().keys() == set(event_types)


@pytest.mark.parametrize("name", SPECIFIED)
def test_streak_events_have_the_fields_of_the_specification(name):
    assert set(SPECIFIED[name]) <= set(schemas()[name]["properties"]["data"]["required"])


def test_every_example_matches_its_schema():
    for name, path in describe_webhooks({})["webhooks"].items():
        body = path["post"]["requestBody"]["content"]["application/json"]
        validator(body["schema"]).validate(body["example"])
        assert body["example"]["type"] == name


def test_a_payload_that_differs_from_its_schema_is_noticed():
    example = describe_webhooks({})["webhooks"]["points.awarded"]["post"]["requestBody"]["content"]["application/json"]
    example["example"]["data"]["amount"] = "ten"

    with pytest.raises(jsonschema_rs.ValidationError):
        validator(example["schema"]).validate(example["example"])


def test_a_description_mentions_null_exactly_if_the_field_is_nullable():
    fields = {f"{each.name}.{name}": field for each in event_types.values() for name, field in each.fields.items()}

    assert [name for name, field in fields.items() if field.nullable != bool(re.search(r"\bnull\b", field.about))] == []
