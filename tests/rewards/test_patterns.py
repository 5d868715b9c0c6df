"""Patterns of codes that are made on demand."""

import re
from collections import Counter

import pytest

from rewards.engine.patterns import pattern_problem, random_code

pytestmark = pytest.mark.engine


def test_wildcards_become_unambiguous_characters_and_the_rest_is_copied():
    digit, letter = "[2-9]", "[A-HJKMNP-TV-Z]"
    shape = re.compile(f"SUMMER-10-{digit}{{4}}-{letter}{{4}}-[2-9A-HJKMNP-TV-Z]{{2}}")

    codes = [random_code("SUMMER-10-####-????-**") for _ in range(500)]

    assert all(shape.fullmatch(code) for code in codes)
    assert len(set(codes)) == 500


def test_all_characters_are_about_equally_frequent():
    counted = Counter("".join(random_code("*" * 30) for _ in range(1_000)))

    assert len(counted) == 30
    assert all(800 < number < 1_200 for number in counted.values())


@pytest.mark.parametrize(
    ("pattern", "inventory", "is_refused"),
    [
        ("########", None, True),  # 16,777,216
        ("#########", None, False),  # 134,217,728
        ("????????", 50_000_000, False),  # 54,875,873,536
        ("????????", 60_000_000, True),
        ("SUMMER", None, True),
        ("", None, True),
    ],
)
def test_patterns_that_could_be_guessed_are_refused(pattern, inventory, is_refused):
    assert bool(pattern_problem(pattern, inventory=inventory)) is is_refused


def test_the_refusal_says_why_and_what_to_do():
    assert pattern_problem("SALE-####", inventory=None) == (
        "Allows 4,096 different codes, which could be guessed; at least 100,000,000 are required. "
        "Use more of # (a digit), ? (a letter) and * (either)."
    )
