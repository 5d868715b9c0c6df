"""Satisfied windows as a run-length list: `((first, length), …)`, ascending, never adjacent, never overlapping.

A streak of a whole year is one pair. The list does not depend on the order in which windows are satisfied.
"""

from bisect import bisect_right

Runs = tuple[tuple[int, int], ...]

# The maximum number of runs that a row stores in one list. Beyond it the older half is dropped or becomes a count.
MAX_RUNS = 1_000


def contains(runs: Runs, number: int) -> bool:
    """Whether window `number` is satisfied."""
    index = bisect_right(runs, number, key=_first) - 1
    return index >= 0 and number < _end(runs[index])


def with_window(runs: Runs, number: int) -> Runs:
    """Add window `number`."""
    if contains(runs, number):
        return runs
    index = bisect_right(runs, number, key=_first)
    before, after = runs[:index], runs[index:]
    first, end = number, number + 1
    if before and _end(before[-1]) == number:
        first, before = before[-1][0], before[:-1]
    if after and after[0][0] == end:
        end, after = _end(after[0]), after[1:]
    return (*before, (first, end - first), *after)


def without_window(runs: Runs, number: int) -> Runs:
    """Remove window `number`."""
    return (*clip(runs, None, number), *clip(runs, number + 1, None))


def clip(runs: Runs, first: int | None, end: int | None) -> Runs:
    """The part of `runs` in [first, end). None means no bound."""
    found = [
        (begin if first is None else max(begin, first), begin + length if end is None else min(begin + length, end))
        for begin, length in runs
    ]
    return tuple((begin, until - begin) for begin, until in found if begin < until)


def _first(run: tuple[int, int]) -> int:
    return run[0]


def _end(run: tuple[int, int]) -> int:
    """The window after the last one of `run`."""
    return run[0] + run[1]
