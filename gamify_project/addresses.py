"""Addresses of callers, and who may read the numbers and the state of this installation (METRICS_NETWORKS)."""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from django.conf import settings

from participants.api.authentication import client_address

PROXY_HEADERS = ("X-Forwarded-For", "Forwarded", "X-Real-IP")

_WITH_PORT = re.compile(r"\[([^\]]+)\](?::\d+)?|([\d.]+):\d+")


def parse_address(text: str) -> IPv4Address | IPv6Address | None:
    """Return the address in `text`, which may have a port. IPv4 in IPv6 is returned as IPv4, and invalid text as None."""
    if found := _WITH_PORT.fullmatch(text):
        text = found[1] or found[2]
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address


def is_observer(request: Any) -> bool:
    """Whether the caller's address is in METRICS_NETWORKS.

    A request with the header of a proxy that TRUSTED_PROXIES does not count is from outside, whatever its connection says:
    otherwise everybody behind a proxy on this machine would have the address of this machine.
    """
    if _has_uncounted_proxy(request):
        return False
    address = parse_address(client_address(request))
    return address is not None and any(address in network for network in settings.METRICS_NETWORKS)


def _has_uncounted_proxy(request: Any) -> bool:
    hops = request.headers.get("X-Forwarded-For", "").split(",")
    is_counted = 0 < settings.TRUSTED_PROXIES <= len([hop for hop in hops if hop.strip()])
    return not is_counted and any(name in request.headers for name in PROXY_HEADERS)
