"""The documented client code for a progress bar runs unchanged on our answers."""

import json
import subprocess

import pytest

from tests.binaries import node
from tests.streaks.phoenix.conftest import EXAMPLES
from tests.streaks.phoenix.happening import define, with_value

PRINT = "console.log(JSON.stringify(JSON.parse(process.argv[1]).streaks.map(getProgressPercentage)));"
CONDITIONS = [
    ("Count", {"type": "count", "min": 4}),
    ("Sum", {"type": "sum", "field": "attrs.points", "min": 500}),
    ("Distinct", {"type": "distinct", "field": "attrs.mode", "min": 5}),
]


@pytest.fixture
def percentages(query):
    script = (EXAMPLES / "progress_percentage.js.txt").read_text() + PRINT

    def drawn():
        answer = query.get("/streaks/acme/users/ada").content.decode()
        ran = subprocess.run([node(), "-e", script, answer], capture_output=True, text=True, check=False)
        assert ran.returncode == 0, ran.stderr
        return json.loads(ran.stdout)

    return drawn


def test_the_bar_grows_up_to_full(admin, happens, percentages):
    for name, condition in CONDITIONS:
        define(admin, name, condition=condition)

    drawn = []
    for mode in ("arcade", "ranked", "casual", "arcade", "zen", "team"):
        happens("user.login", points=125.5, mode=mode)
        drawn.append(percentages())

    assert drawn == [
        [25, 20, 25.1],
        [50, 40, 50.2],
        [75, 60, 75.3],
        [100, 60, 100],
        [100, 80, 100],
        [100, 100, 100],
    ]


@pytest.mark.parametrize("condition", [condition for _, condition in CONDITIONS[:2]])
def test_the_bar_stays_full_if_the_window_was_satisfied_under_other_rules(admin, happens, percentages, condition):
    record = define(admin)
    happens("user.login")

    admin.patch(f"/tenants/acme/streaks/{record['id']}", {"config": with_value("condition", condition)})

    assert percentages() == [100]
