"""Where deliveries may go: the form of an endpoint's address, and which IP addresses are public.

A name can resolve to any address, and to another one a moment later. So the address is checked twice: its text when it is saved,
to help the user, and the IP address when the connection is made, for safety.
"""

import ipaddress
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network

MAX_ADDRESS = 500
_DEFAULT_PORTS = {"https": 443, "http": 80}
_VISIBLE_ASCII = re.compile(r"[!-~]+")
_NAME = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)(\.(?!-)[a-z0-9_-]{1,63}(?<!-))*\.?")
# The C library reads such a last label as part of an IPv4 address: 2130706433, 0x7f.1, 0177.0.0.1.
_NUMBER = re.compile(r"0x[0-9a-f]*|[0-9]+")

GLOBAL_UNICAST = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
# Networks inside the global range that are tunnels into IPv4 (6to4, Teredo), documentation, or unused. Older Pythons do not
# know all of them.
NEVER_PUBLIC: Sequence[IPNetwork] = tuple(
    ipaddress.ip_network(network)
    for network in ("192.88.99.0/24", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")
)


@dataclass(frozen=True)
class Policy:
    """The targets that this installation allows: whether http, which ports (empty: all), and which networks that are not public."""

    allows_http: bool
    ports: Collection[int]
    networks: Sequence[IPNetwork]


def target_problem(url: str, policy: Policy) -> str | None:
    """Return why `url` cannot be a target, or None. Names are not looked up."""
    if len(url) > MAX_ADDRESS or not _VISIBLE_ASCII.fullmatch(url):
        return f"Must be an address of at most {MAX_ADDRESS} ASCII characters without spaces; write an international name as xn--…"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return "Must be an http or https address."
    return _form_problem(parts, policy) or _port_problem(parts.scheme, port, policy) or _host_problem(parts, policy)


def _form_problem(parts: SplitResult, policy: Policy) -> str | None:
    if parts.scheme not in _DEFAULT_PORTS or not parts.hostname or "\\" in parts.netloc:
        return "Must be an http or https address."
    if parts.scheme == "http" and not policy.allows_http:
        return "Must be an https address."
    if "@" in parts.netloc:
        return "Must not carry a user name or a password: deliveries are signed."
    return "Must not have a fragment: it would not be sent." if parts.fragment else None


def _port_problem(scheme: str, port: int | None, policy: Policy) -> str | None:
    number = port if port is not None else _DEFAULT_PORTS[scheme]
    if number == 0 or (policy.ports and number not in policy.ports):
        return f"Port {number} is not among those that deliveries may go to."
    return None


def _host_problem(parts: SplitResult, policy: Policy) -> str | None:
    host = parts.hostname or ""
    address = _address(host)
    if address is not None:
        return None if is_allowed(address, policy.networks) else f"{host} is not a public address."
    if ":" in host or not _NAME.fullmatch(host):
        return "Must name a host, or be a public IP address."
    if _NUMBER.fullmatch(host.rstrip(".").rpartition(".")[2]):
        return "An IP address must be written with four decimal numbers, or as IPv6 in brackets."
    return None


def _address(host: str) -> IPAddress | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_allowed(address: IPAddress, networks: Sequence[IPNetwork]) -> bool:
    """Whether deliveries may connect to `address`: it is public, or in one of `networks`."""
    return is_public(address) or any(address in network for network in networks)


def is_public(address: IPAddress) -> bool:
    """Whether `address` is on the public internet. An IPv6 address that contains an IPv4 address is public if the latter is."""
    if isinstance(address, ipaddress.IPv4Address):
        return address.is_global and not address.is_multicast and not _is_never_public(address)
    if (inner := _inner_ipv4(address)) is not None:
        return is_public(inner)
    return (
        address in GLOBAL_UNICAST and address.is_global and address.scope_id is None and not _is_never_public(address)
    )


def _inner_ipv4(address: ipaddress.IPv6Address) -> ipaddress.IPv4Address | None:
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None


def _is_never_public(address: IPAddress) -> bool:
    return any(address in network for network in NEVER_PUBLIC)
