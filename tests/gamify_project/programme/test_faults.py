"""A file with faults is refused with all of them, each with its line and path, and changes nothing."""

import pytest

from gamify_project.programme.faults import InvalidProgramme
from gamify_project.programme.files import read_programme
from tests.gamify_project.programme.worlds import EVERYTHING, faults_of, imported, planned, rows_of

pytestmark = pytest.mark.django_db

FAULTY = """\
version: 1
bagdes: []
tiers:
  - code: bronze
    name: Bronze
    level: low
  - code: bronze
    name: Second
    level: 2
    award_type: manual
badges:
  - code: first
    name: First
    rarety: epic
    criteria: {metric: streak_count, min: 7, streak_code: gone}
  - name: Nameless
  - just text
rules:
  - code: r
    name: R
    when: {event_types: [buy], expresion: {}}
    then:
      - {type: badge, code: nowhere}
      - {type: points}
      - {type: reward, id: 01a20030-16b8-773b-a1f2-79a6f16a65ee}
      - {type: medal}
      - {type: badge, cod: first}
streaks:
  - code: s
    name: S
    event_types: [login]
    window: {type: calendar, period: dayly}
    milestones: [{threshold: 3, reward_item_id: 01a20030-16b8-773b-a1f2-79a6f16a65ee}]
challenges:
  - code: c
    name: C
    objectives:
      - {code: a, label: A, event_types: [x], prerequisites: [b]}
      - {code: b, label: B, event_types: [x], prerequisites: [a]}
boosts: {code: b}
"""


def test_every_fault_of_a_file_is_reported_at_once(tenant):
    with pytest.raises(InvalidProgramme) as error:
        imported(tenant, FAULTY)

    places = [(line, path) for line, path, _ in faults_of(error)]
    assert places == [
        (2, "bagdes"),
        (6, "tiers.0.level"),
        (7, "tiers.1.code"),
        (14, "badges.0.rarety"),
        (15, "badges.0.criteria.streak_code"),
        (16, "badges.1.code"),
        (17, "badges.2"),
        (21, "rules.0.when.expresion"),
        (23, "rules.0.then.0.code"),
        (24, "rules.0.then.1.amount"),
        (25, "rules.0.then.2.code"),
        (25, "rules.0.then.2.id"),
        (26, "rules.0.then.3.type"),
        (27, "rules.0.then.4.cod"),
        (32, "streaks.0.window.period"),
        (33, "streaks.0.milestones.0.reward_item_id"),
        (38, "challenges.0.objectives.0.prerequisites.0"),
        (39, "challenges.0.objectives.1.prerequisites.0"),
        (40, "boosts"),
    ]
    assert not any(rows_of(tenant).values())


@pytest.mark.parametrize(
    ("data", "line", "words"),
    [
        (b"", 1, "must be a programme"),
        (b"- 1\n- 2\n", 1, "must be a programme"),
        (b"version: 1\nname: \xff\xfe\n", 2, "is not UTF-8"),
        (b"version: 1\nbadges: [\n", 3, "is not valid YAML"),
        (b"version: 1\nbadges:\n\t- code: x\n", 3, "is not valid YAML"),
        (b"version: 1\n---\nversion: 1\n", 2, "has a second document"),
        (b"version: 1\nbadges:\n  - " + b"[" * 40 + b"]" * 40, 3, "is nested deeper than 32 levels"),
        (b"version: 1\nbadges:\n  - ? [1]\n    : 2\n", 3, "must have plain texts as keys"),
        (b"# " + b"x" * 1024 * 1024, 0, "is larger than 1,048,576 bytes"),
    ],
)
def test_a_file_that_cannot_be_read_is_refused_with_the_line(data, line, words):
    with pytest.raises(InvalidProgramme) as error:
        read_programme(data)

    ((found, _, message),) = faults_of(error)
    assert found == line
    assert words in message


@pytest.mark.parametrize(
    ("text", "line", "path", "words"),
    [
        ("version: 2\n", 1, "version", "must be 1"),
        ("badges: []\n", 1, "version", "must be 1"),
        ("version: 1\nversion: 1\n", 2, "version", "is given twice"),
        ("version: 1\nbadges: &all []\n", 2, "badges", "is an anchor"),
        ("version: 1\nbadges: *all\n", 2, "badges", "is an alias"),
        ("version: !!int 1\n", 1, "version", "has a tag"),
        ("version: 1\nbadges:\n  - {code: x, name: X, display_order: 99999999999999999999}\n", 3, "badges.0.display_order", "64 bits"),
        ('version: 1\nbadges:\n  - {code: x, name: "a\\0b"}\n', 3, "badges.0.name", "NUL"),
        ("version: 1\nbadges:\n  - {code: 7, name: X}\n", 3, "badges.0.code", "must be a text"),
        ("version: 1\nbadges:\n  - {code: ' x', name: X}\n", 3, "badges.0.code", "must not begin or end with spaces"),
        ("version: 1\nbadges:\n  - {code: x, name: X, is_active: yes}\n", 3, "badges.0.is_active", "Must be true or false"),
        ("version: 1\nbadges:\n  - {code: x}\n", 3, "badges.0.name", "This field is required."),
        ("version: 1\nrewards:\n  - {code: x, name: X, type: coupon, total_inventory: 5}\n", 3, "rewards.0.total_inventory", "is not a known key"),
        ("version: 1\nwebhooks:\n  - {url: 'https://a.example', secret: whsec_x}\n", 3, "webhooks.0.secret", "is not a known key"),
        ("version: 1\nwebhooks:\n  - {url: 'ftp://a.example'}\n", 3, "webhooks.0.url", "http"),
    ],
)  # fmt: skip
def test_each_fault_names_its_line_and_path(tenant, text, line, path, words):
    with pytest.raises(InvalidProgramme) as error:
        planned(tenant, text)

    assert [(line, path)] == [fault[:2] for fault in faults_of(error) if words in fault[2]]


def test_a_bomb_of_aliases_is_refused_without_expanding(tenant):
    levels = "".join(f"x{n}: &x{n} [{', '.join([f'*x{n - 1}'] * 50)}]\n" for n in range(1, 20))
    with pytest.raises(InvalidProgramme) as error:
        planned(tenant, f"version: 1\nx0: &x0 lol\n{levels}")

    assert len(faults_of(error)) > 900


def test_a_grant_cannot_tick_a_streak_that_does_not_count(tenant):
    text = EVERYTHING.replace("{type: streak_tick, code: daily}", "{type: streak_tick, code: rolling}")
    with pytest.raises(InvalidProgramme) as error:
        imported(tenant, text)

    ((_, path, message),) = faults_of(error)
    assert (path, message) == ("rules.0.then.2.code", "must be a streak that counts ticks")


def test_a_file_that_changes_the_type_of_a_multiplier_is_refused_and_changes_nothing(tenant, nothing_written):
    imported(tenant, EVERYTHING)
    text = EVERYTHING.replace("type: physical", "type: points_multiplier").replace("name: Bronze", "name: Brass")
    with nothing_written(), pytest.raises(InvalidProgramme) as error:
        imported(tenant, text)

    assert {path for _, path, _ in faults_of(error)} == {"rewards.0.type"}


def test_a_reference_to_a_definition_that_is_not_in_use_is_a_warning(tenant):
    warnings = {(warning.field, warning.message) for warning in planned(tenant, EVERYTHING).warnings}

    assert ("rules.0.then.0.code", "reward mug is not in use") in warnings
