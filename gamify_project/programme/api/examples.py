"""Example calls of the programme for the OpenAPI document."""

from participants.api.schema import Example

FILE = """\
version: 1

tiers:
  - code: bronze
    name: Bronze
    level: 1
    criteria_config:
      min_points: 0

badges:
  - code: regular
    name: Regular
    rarity: rare
    criteria:
      metric: event_count
      min: 25
      event_name: login

rules:
  - code: welcome
    name: Welcome
    when:
      event_types:
        - signup
    then:
      - type: points
        amount: 100
      - type: badge
        code: regular
    limits:
      ever: 1
"""

EXPORTED = Example(answer=FILE)

IMPORTED = Example(
    answer={
        "added": [
            {
                "object_type": "tier",
                "code": "bronze",
                "name": "Bronze",
                "affected_participants": 0,
                "changes": {
                    "code": {"before": None, "after": "bronze"},
                    "name": {"before": None, "after": "Bronze"},
                    "level": {"before": None, "after": 1},
                    "criteria_config": {"before": None, "after": {"min_points": 0}},
                },
            }
        ],
        "changed": [
            {
                "object_type": "badge",
                "code": "regular",
                "name": "Regular",
                "affected_participants": 120,
                "changes": {"rarity": {"before": "uncommon", "after": "rare"}},
            }
        ],
        "archived": [],
        "warnings": [],
    }
)
