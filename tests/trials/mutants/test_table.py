"""The table of mutants fits the code: a mistake whose place is gone, or whose tests are gone, fails here, at no cost."""

from collections import Counter
from pathlib import Path

import pytest

from tests.trials.mutants.table import MUTANTS, Mutant

ROOT = Path(__file__).resolve().parents[3]
pytestmark = pytest.mark.engine


def test_there_are_enough_mutants_and_each_has_a_name_of_its_own() -> None:
    assert len(MUTANTS) >= 60
    assert [name for name, number in Counter(mutant.name for mutant in MUTANTS).items() if number > 1] == []


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_place_of_a_mutant_occurs_once_and_its_tests_exist(mutant: Mutant) -> None:
    assert (ROOT / mutant.file).read_text().count(mutant.old) == 1
    assert mutant.new != mutant.old
    assert all((ROOT / path.partition("::")[0]).exists() for path in mutant.tests)
