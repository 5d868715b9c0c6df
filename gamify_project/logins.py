"""How failed logins of the console slow down the attempts that follow them (docs/operators.md, "Failed logins").

Three rules work together. Each counts failures of the last 15 minutes.

1. Ten failures of one name from one address lock this pair (django-axes; settings).
2. After 20 failures from one address, with any names, this address gets one attempt every few seconds.
3. After 20 failures of one name, from any addresses, each address that failed for it gets one attempt every few seconds, and
   all new addresses together get one every two seconds. An address from which the owner logged in recently is exempt.

So an attack on one name from many addresses does not lock the owner out. At a known address the owner does not wait; elsewhere
they wait at most two seconds, once the attacker has no more new addresses.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import Max, QuerySet, Sum

from gamify_project.addresses import parse_address
from participants.api.authentication import client_address

FREE_FAILURES = 20
MAX_WAIT = timedelta(seconds=60)
NEW_ADDRESS_WAIT = timedelta(seconds=2)
KNOWN_FOR = timedelta(days=30)
NO_WAIT = timedelta(0)


@dataclass(frozen=True)
class Failures:
    """The failures of one name from one address, or of all names from it: their number, and the time of the latest."""

    address: str | None
    count: int
    latest: datetime


class SlowedLogins(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes' handler, which locks pairs of name and address, extended by waits."""

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:
        """Whether the password may be checked now. Sets `request.login_wait` to the seconds until it may be."""
        if not super().is_allowed(request, credentials):
            return False
        name = get_client_username(request, credentials)
        wait = login_wait(name, request.axes_ip_address, now=request.axes_attempt_time)
        request.login_wait = max(0, math.ceil(wait.total_seconds()))
        return wait <= NO_WAIT


def login_wait(name: str, address: str | None, *, now: datetime) -> timedelta:
    """Return how long the next attempt for `name` from `address` must wait. Zero or less means that it need not wait."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - settings.AXES_COOLOFF_TIME)
    by_address = wait_of_address(_per_address(recent.filter(ip_address=address)), now=now)
    if is_known_address(name, address, now=now):
        return by_address
    return max(by_address, wait_of_name(_per_address(recent.filter(username=name)), address, now=now))


def wait_of_address(failures: Iterable[Failures], *, now: datetime) -> timedelta:
    """Return the wait because of failures from one address, with any names."""
    return max((_remaining(each.latest, growing_wait(each.count), now) for each in failures), default=NO_WAIT)


def wait_of_name(failures: Iterable[Failures], address: str | None, *, now: datetime) -> timedelta:
    """Return the wait of `address` because of failures of one name, from this and other addresses."""
    failures = list(failures)
    wait = growing_wait(sum(each.count for each in failures))
    if wait == NO_WAIT:
        return NO_WAIT
    if own := [each for each in failures if each.address == address]:
        return _remaining(own[0].latest, wait, now)
    newcomers = [each.latest for each in failures if each.count == 1]
    return _remaining(max(newcomers), NEW_ADDRESS_WAIT, now) if newcomers else NO_WAIT


def growing_wait(failures: int) -> timedelta:
    """Return the time between two attempts: none below `FREE_FAILURES` failures, then one second more per failure, at most a minute."""
    return min(timedelta(seconds=max(0, failures - FREE_FAILURES + 1)), MAX_WAIT)


def _remaining(latest: datetime, wait: timedelta, now: datetime) -> timedelta:
    return latest + wait - now if wait else NO_WAIT


def _per_address(attempts: "QuerySet[Any]") -> list[Failures]:
    """Sum the failures per address. axes has a row for each user agent, and attackers vary it."""
    rows = attempts.values("ip_address").annotate(count=Sum("failures_since_start"), latest=Max("attempt_time"))
    return [Failures(row["ip_address"], row["count"], row["latest"]) for row in rows.order_by("ip_address")]


def is_known_address(name: str, address: str | None, *, now: datetime) -> bool:
    """Whether there was a login with this name from this address within the last 30 days."""
    known = AccessLog.objects.filter(username=name, ip_address=address, attempt_time__gt=now - KNOWN_FOR)
    return address is not None and known.exists()


def login_address(request: Any) -> str | None:
    """Return the address for which failures are counted: without a port; for IPv6, the /64 network, which one customer has.

    If the proxy forwards an invalid address, it is the address of the proxy, or None if that is invalid as well.
    """
    return _normalize(client_address(request)) or _normalize(str(request.META.get("REMOTE_ADDR", "")))


def _normalize(text: str) -> str | None:
    address = parse_address(text)
    if isinstance(address, IPv6Address):
        return str(IPv6Network((int(address), 64), strict=False).network_address)
    return None if address is None else str(address)
