"""A unit that lost a race begins anew."""

import functools
import random
import time
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import structlog

from participants.errors import DomainError

P = ParamSpec("P")
R = TypeVar("R")

MAX_ATTEMPTS = 10
PAUSE_SECONDS = 0.005

logger = structlog.get_logger(__name__)


class Restart(Exception):
    """Another transaction made what this one believed missing; begun anew, the unit will find it."""


class TooBusy(DomainError):
    """The same race was lost over and over: nothing was written, and the client may try again."""

    code = "service_unavailable"
    status = 503

    def __init__(self) -> None:
        super().__init__("Too many concurrent writes; try again", headers={"Retry-After": "1"})


def restartable(use_case: Callable[P, R]) -> Callable[P, R]:
    """Begin `use_case` anew when its unit of work lost a race. It must do nothing outside the unit."""

    @functools.wraps(use_case)
    def attempts(*args: P.args, **kwargs: P.kwargs) -> R:
        for attempt in range(MAX_ATTEMPTS):
            try:
                return use_case(*args, **kwargs)
            except Restart as restart:
                logger.info("unit_restarted", use_case=use_case.__name__, cause=str(restart.__cause__))
                time.sleep(random.uniform(0, attempt * PAUSE_SECONDS))  # noqa: S311 - so that two do not meet again
        raise TooBusy

    return attempts
