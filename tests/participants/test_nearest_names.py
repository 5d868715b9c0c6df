"""Suggestions for misspelt names."""

import pytest

from participants.engine import nearest_name, suggestion, unknown_key_problem

pytestmark = pytest.mark.engine

CONFIG = ("event_types", "expression", "window", "condition", "milestones", "at_risk_seconds")


@pytest.mark.parametrize(
    ("name", "known", "nearest"),
    [
        ("min_point", ("min_points", "basis"), "min_points"),
        ("minPoints", ("min_points", "basis"), "min_points"),
        ("MIN POINTS", ("min_points", "basis"), "min_points"),
        ("windw", CONFIG, "window"),
        ("event_type", CONFIG, "event_types"),
        ("events", CONFIG, "event_types"),
        ("milestone", CONFIG, "milestones"),
        ("min_points", ("level", "criteria_config", "criteria_config.min_points"), "criteria_config.min_points"),
        ("criteria_config.min_point", ("level", "criteria_config.min_points"), "criteria_config.min_points"),
        ("zzz", CONFIG, None),
        ("", CONFIG, None),
        ("x" * 100_000, CONFIG, None),
        ("name", (), None),
    ],
)
def test_the_most_similar_name_is_found(name, known, nearest):
    assert nearest_name(name, known) == nearest


def test_a_problem_names_the_nearest_key_or_all_keys():
    assert unknown_key_problem("windw", CONFIG) == "is not a known key; did you mean window?"
    assert suggestion("zzz", ("per_day", "ever")) == "known here: per_day, ever"
