"""The excuse that revives a broken run (docs/contract.md §10, Care)."""

from collections.abc import Sequence
from datetime import datetime

from streaks.engine.counting import Rules, State, chains, streak_status, windows_of
from streaks.engine.excuses import Span, excused_windows


def reviving_span(
    state: State, rules: Rules, *, now: datetime, spans: Sequence[Span] = ()
) -> tuple[datetime, datetime] | None:
    """The span that must be excused to revive the last broken run. None if there is no broken run.

    It reaches from the end of that run to the open window, or to the first window of the run that began since then.
    """
    windows = windows_of(state, rules)
    if windows is None:
        return None
    found = chains(state, rules, excused_windows(windows, spans))
    alive = streak_status(state, rules, now=now, spans=spans).alive
    broken = found[:-1] if alive else found
    if not broken:
        return None
    resumed = found[-1].first if alive else windows.ordinal(now)
    begin, end = windows.end(broken[-1].last), windows.start(resumed)
    return (begin, end) if begin < end else None
