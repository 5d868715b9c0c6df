"""The table of mutants in docs/mutants.md."""

from collections.abc import Sequence
from itertools import groupby

from tests.trials.mutants.table import Verdict

INTRODUCTION = """\
# Mutants

A mutant is a mistake that a developer could make, put into a copy of the code by hand (`tests/trials/mutants/table.py`). The tests of its own area
have to find it. The tests that found one then run without a mistake, and must pass.

This page is written by `make trials ARGS="mutants --page docs/mutants.md"`. Of {total} mutants, {found} were found.
"""
COLUMNS = "| mutant | test that found it |\n|---|---|"


def page_of(verdicts: Sequence[Verdict]) -> str:
    """Return the page: a table per changed file, with each mutant and the test that found it."""
    found = sum(verdict.test is not None for verdict in verdicts)
    in_order = sorted(verdicts, key=lambda verdict: verdict.mutant.file)
    tables = [
        "\n".join([f"## {file}\n", COLUMNS, *map(_row, of_file)])
        for file, of_file in groupby(in_order, key=lambda verdict: verdict.mutant.file)
    ]
    return "\n\n".join([INTRODUCTION.format(total=len(verdicts), found=found).rstrip(), *tables]) + "\n"


def _row(verdict: Verdict) -> str:
    name = verdict.mutant.name.replace("_", " ")
    path, _, test = (verdict.test or "").rpartition("::")
    if not verdict.test:
        return f"| {name} | **none** |"
    return f"| {name} | [{path.rpartition('/')[2]}](../{path}): `{test}` |" if path else f"| {name} | {verdict.test} |"
