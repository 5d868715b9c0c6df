"""No connection to a forbidden address, however it is written and whatever a name resolves to."""

import socket
import threading
from collections.abc import Iterator

import pytest

from gamify.webhooks.engine.signing import secret_text
from gamify.webhooks.services import network
from gamify.webhooks.services.sending import Post, Try, send
from tests.receivers import Answer, receiving

SECRET = secret_text(b"k" * 32)


class Canary:
    """Listens on all addresses of this machine and counts connections."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("::", 0), family=socket.AF_INET6, dualstack_ipv6=True, backlog=128)
        self.port: int = self.listener.getsockname()[1]
        self.connections = 0
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            connection.close()


@pytest.fixture(scope="module")
def canary() -> Iterator[Canary]:
    created = Canary()
    yield created
    created.listener.close()


@pytest.fixture
def strict(settings) -> None:
    """The settings of production, except for ports and http, so that a connection could reach the canary."""
    settings.WEBHOOK_NETWORKS = []
    network.policy.cache_clear()


def send_to(url: str) -> Try:
    return send(Post(url, "m1", 1, b"{}", [SECRET]))


def own_address() -> str:
    """Return an address of this machine other than loopback, if it has one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.connect(("192.0.2.1", 9))
        address: str = sock.getsockname()[0]
        return address


HOSTS = [
    # loopback, in every spelling that a C library or a browser understands
    "127.0.0.1", "127.0.0.2", "127.1", "127.0.1", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1", "0177.0.0.1",
    "0177.1", "017700000001", "127.0.0.01", "127.000.000.001", "127.0.0.1.", "localhost", "LOCALHOST", "localhost.",
    "0", "0.0.0.0", "0x0", "00000000",
    # IPv6
    "[::1]", "[0:0:0:0:0:0:0:1]", "[::]", "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[0:0:0:0:0:ffff:127.0.0.1]",
    "[::127.0.0.1]", "[::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b::7f00:1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]",
    "[2001:0:7f00:1::]", "[fe80::1]", "[fe80::1%251]", "[fc00::1]", "[fd00:ec2::254]", "[fec0::1]", "[ff02::1]", "[2001:db8::1]",
    # private, shared, link-local, reserved, multicast; the metadata services of clouds
    "10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.254", "192.168.0.1", "192.168.255.254", "169.254.169.254",
    "0xa9fea9fe", "2852039166", "0251.0376.0251.0376", "169.254.170.2", "100.64.0.1", "100.100.100.200", "100.127.255.254",
    "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
    # characters that normalisation changes
    "\uff11\uff12\uff17.0.0.1", "①②⑦.0.0.1", "127。0。0。1", "ⓛⓞⓒⓐⓛⓗⓞⓢⓣ", "loc\u00adalhost",
    # a host that looks like another one
    "user@127.0.0.1", "8.8.8.8@127.0.0.1", "shop.example:443@127.0.0.1", "shop.example%40127.0.0.1",
]  # fmt: skip


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("host", HOSTS)
def test_forbidden_addresses_are_never_connected_to(canary, host):
    before = canary.connections

    result = send_to(f"http://{host}:{canary.port}/")

    assert not result.has_succeeded
    assert result.status is None
    assert result.error is not None
    assert canary.connections == before


def test_the_table_is_long_enough():
    assert len(HOSTS) >= 60


@pytest.mark.usefixtures("strict")
def test_addresses_of_this_machine_are_never_connected_to(canary):
    before = canary.connections

    assert send_to(f"http://{own_address()}:{canary.port}/").error.startswith("not a public address")
    assert canary.connections == before


def test_the_canary_notices_a_connection(canary):
    """With loopback allowed, the same call reaches the canary."""
    before = canary.connections

    send_to(f"http://127.0.0.1:{canary.port}/")

    assert canary.connections == before + 1


def resolve_to(monkeypatch, *answers: list[str]) -> list[str]:
    """Each lookup returns the next of `answers`, then the last one forever. Returns the list of the names that were looked up."""
    looked_up: list[str] = []
    waiting = list(answers)

    def getaddrinfo(host, port, *args, **kwargs):
        looked_up.append(host)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return looked_up


@pytest.mark.usefixtures("strict")
@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["10.0.0.1", "8.8.8.8"]])
def test_a_name_is_refused_if_one_of_its_addresses_is_forbidden(canary, monkeypatch, addresses):
    before = canary.connections
    resolve_to(monkeypatch, addresses)

    assert send_to(f"http://innocent.example:{canary.port}/").error.startswith("not a public address")
    assert canary.connections == before


@pytest.mark.usefixtures("strict")
def test_a_name_is_resolved_once_and_the_checked_address_is_connected_to(canary, monkeypatch):
    before = canary.connections
    looked_up = resolve_to(monkeypatch, ["93.184.216.34"], ["127.0.0.1"])
    connected: list[tuple[str, int]] = []

    def create_connection(address, *args, **kwargs):
        connected.append(address[:2])
        raise OSError("far away")

    monkeypatch.setattr(socket, "create_connection", create_connection)

    assert send_to(f"http://rebinding.example:{canary.port}/").error
    assert connected == [("93.184.216.34", canary.port)]
    assert looked_up == ["rebinding.example"]
    assert canary.connections == before


def test_a_slow_lookup_takes_no_longer_than_the_timeout_of_a_try(settings, monkeypatch):
    settings.WEBHOOK_TIMEOUT_SECONDS = 0.2
    may_answer = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: may_answer.wait(timeout=30))

    result = send_to("http://silent.example/")

    may_answer.set()
    assert (result.status, result.error) == (None, "no answer within 0.2 s")


def test_a_redirect_is_not_followed(canary):
    before = canary.connections
    answer = Answer(302, {"Location": f"http://127.0.0.1:{canary.port}/"})

    with receiving(lambda request: answer) as receiver:
        result = send_to(receiver.url)

    assert (result.status, result.error) == (302, "answered 302")
    assert canary.connections == before


def test_no_proxy_of_the_environment_is_used(canary, monkeypatch):
    before = canary.connections
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{canary.port}")

    with receiving() as receiver:
        assert send_to(receiver.url).has_succeeded
    assert canary.connections == before
