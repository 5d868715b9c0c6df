"""Processor time of groups of processes, read from /proc, and a loop that shows whether the machine kept its speed."""

import os
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    return [
        int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]


def seconds_of(pids: Iterable[int]) -> dict[int, float]:
    """Processor seconds that each process has used so far, those of its ended children included. Ended processes are left out."""
    return {pid: seconds for pid in pids if (seconds := _seconds(pid)) is not None}


def _seconds(pid: int) -> float | None:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return sum(map(int, fields[11:15])) / _TICKS


def used(before: Mapping[int, float], after: Mapping[int, float]) -> dict[int, float]:
    """Processor seconds between two calls of `seconds_of`. A process that is new counts from its start."""
    return {pid: seconds - before.get(pid, 0.0) for pid, seconds in after.items()}


def calibration() -> float:
    """Processor seconds of a fixed piece of work. It grows if the machine is slower or has other work to do."""
    began = time.process_time()
    total = 0
    for number in range(2_000_000):
        total += number % 7
    return time.process_time() - began
