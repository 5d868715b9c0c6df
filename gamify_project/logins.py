"""How failed logins of the console slow down the attempts that follow them (docs/operators.md, "Failed logins").

Three rules work together. Each counts failures of the last 15 minutes.

1. Ten failures of one name from one address lock that pair (django-axes; settings).
2. After 20 failures from one address, whatever the names, that address gets one attempt every few seconds.
3. After 20 failures of one name, whatever the addresses, an address that failed for it gets one attempt every few
   seconds, and new addresses together one every two seconds. An address from which the owner logged in lately is free.

So somebody who attacks a name from many addresses does not lock the owner out: the owner waits two seconds at most
once the attack has run out of new addresses, and not at all at a known address.
"""

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from axes.handlers.database import AxesDatabaseHandler
from axes.helpers import get_client_username
from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.db.models import Max, QuerySet, Sum

from participants.api.authentication import client_address

FREE_FAILURES = 20
LONGEST_WAIT = timedelta(seconds=60)
NEW_ADDRESS_WAIT = timedelta(seconds=2)
KNOWN_FOR = timedelta(days=30)
NO_WAIT = timedelta(0)

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


@dataclass(frozen=True)
class Failures:
    """The failures of one name from one address (or of all names from it): how many, and when the latest was."""

    address: str | None
    count: int
    latest: datetime


class SlowedLogins(AxesDatabaseHandler):  # type: ignore[misc]
    """django-axes' handler, which locks pairs of name and address, and the waits on top."""

    def is_allowed(self, request: Any, credentials: Any = None) -> bool:
        """Whether the password is looked at. `request.login_wait` says after how many seconds it will be."""
        if not super().is_allowed(request, credentials):
            return False
        name = get_client_username(request, credentials)
        wait = login_wait(name, request.axes_ip_address, now=request.axes_attempt_time)
        request.login_wait = max(0, math.ceil(wait.total_seconds()))
        return wait <= NO_WAIT


def login_wait(name: str, address: str | None, *, now: datetime) -> timedelta:
    """How long the next attempt for `name` from `address` has to wait; nothing or less: it is looked at now."""
    recent = AccessAttempt.objects.filter(attempt_time__gt=now - settings.AXES_COOLOFF_TIME)
    by_address = wait_of_address(_per_address(recent.filter(ip_address=address)), now=now)
    if _is_known(name, address, now=now):
        return by_address
    return max(by_address, wait_of_name(_per_address(recent.filter(username=name)), address, now=now))


def wait_of_address(failures: Iterable[Failures], *, now: datetime) -> timedelta:
    """The wait after the failures of one address, whatever the names."""
    return max((_rest(each.latest, growing_wait(each.count), now) for each in failures), default=NO_WAIT)


def wait_of_name(failures: Iterable[Failures], address: str | None, *, now: datetime) -> timedelta:
    """The wait of `address` after the failures of one name, from this address and from others."""
    failures = list(failures)
    wait = growing_wait(sum(each.count for each in failures))
    if wait == NO_WAIT:
        return NO_WAIT
    if own := [each for each in failures if each.address == address]:
        return _rest(own[0].latest, wait, now)
    newcomers = [each.latest for each in failures if each.count == 1]
    return _rest(max(newcomers), NEW_ADDRESS_WAIT, now) if newcomers else NO_WAIT


def growing_wait(failures: int) -> timedelta:
    """The time between two attempts: none up to `FREE_FAILURES`, then a second more with each failure, at most a minute."""
    return min(timedelta(seconds=max(0, failures - FREE_FAILURES + 1)), LONGEST_WAIT)


def _rest(latest: datetime, wait: timedelta, now: datetime) -> timedelta:
    return latest + wait - now if wait else NO_WAIT


def _per_address(attempts: "QuerySet[Any]") -> list[Failures]:
    """axes has a row for each user agent, which attackers vary: count per address."""
    rows = attempts.values("ip_address").annotate(count=Sum("failures_since_start"), latest=Max("attempt_time"))
    return [Failures(row["ip_address"], row["count"], row["latest"]) for row in rows.order_by("ip_address")]


def _is_known(name: str, address: str | None, *, now: datetime) -> bool:
    """Whether somebody logged in under this name from this address within the last 30 days."""
    known = AccessLog.objects.filter(username=name, ip_address=address, attempt_time__gt=now - KNOWN_FOR)
    return address is not None and known.exists()


def login_address(request: Any) -> str | None:
    """The caller's address as failures are counted: without a port, and of IPv6 the network (/64) of one customer.

    A proxy can pass on what is no address: then it is the proxy's own, or None where that is unknown as well.
    """
    return _counted(client_address(request)) or _counted(str(request.META.get("REMOTE_ADDR", "")))


def _counted(text: str) -> str | None:
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if not isinstance(address, IPv6Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(IPv6Network((int(address), 64), strict=False).network_address)
