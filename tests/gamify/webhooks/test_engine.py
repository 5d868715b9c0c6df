"""The pure rules: globs, retry schedule, targets and signatures."""

import ipaddress
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from gamify.webhooks.engine.globs import glob_problem, is_wanted
from gamify.webhooks.engine.schedule import (
    MAX_RETRY_AFTER,
    MAX_TRIES,
    PAUSES,
    has_failed_too_long,
    is_doubtful,
    is_down,
    next_try_at,
    parse_retry_after,
)
from gamify.webhooks.engine.signing import secret_text, signature_headers
from gamify.webhooks.engine.targets import Policy, is_allowed, is_public, target_problem

pytestmark = pytest.mark.engine

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)
TYPES = ("points.awarded", "streak.broken", "streak.at_risk")


@pytest.mark.parametrize(
    ("globs", "type_name", "wanted"),
    [
        (["*"], "anything.at_all", True),
        (["streak.*"], "streak.broken", True),
        (["streak.*"], "streaks.broken", False),
        (["streak.broken"], "streak.broken", True),
        (["streak.broken"], "streak.broken_again", False),
        (["points.*", "streak.broken"], "streak.broken", True),
        ([], "streak.broken", False),
    ],
)
def test_globs_match_types(globs, type_name, wanted):
    assert is_wanted(type_name, globs) is wanted


@pytest.mark.parametrize(
    "glob", ["", "nope", "nope.*", "streak.*.x", "*.broken", "st*", "**", ".*", "streak.", "Streak.*"]
)
def test_an_invalid_glob_is_a_problem(glob):
    assert glob_problem(glob, TYPES) is not None


@pytest.mark.parametrize("glob", ["*", "streak.*", "points.awarded"])
def test_a_valid_glob_is_no_problem(glob):
    assert glob_problem(glob, TYPES) is None


def test_ten_tries_take_about_three_days():
    at, tries = NOW, 1
    while following := next_try_at(tries=tries, at=at, chance=0.5):
        at, tries = following, tries + 1

    assert tries == MAX_TRIES == 10
    assert timedelta(days=3) < at - NOW < timedelta(days=3, hours=6)


@given(st.integers(1, len(PAUSES)), st.floats(0, 1, exclude_max=True))
def test_a_pause_is_spread_by_a_fifth(tries, chance):
    pause = next_try_at(tries=tries, at=NOW, chance=chance) - NOW

    assert 0.8 * PAUSES[tries - 1] <= pause <= 1.2 * PAUSES[tries - 1] + timedelta(microseconds=1)


def test_retry_after_only_makes_the_pause_longer():
    assert next_try_at(tries=1, at=NOW, chance=0.5, retry_after=timedelta(hours=1)) == NOW + timedelta(hours=1)
    assert next_try_at(tries=9, at=NOW, chance=0.5, retry_after=timedelta(hours=1)) == NOW + PAUSES[8]
    assert next_try_at(tries=10, at=NOW, chance=0.5, retry_after=timedelta(hours=1)) is None


@pytest.mark.parametrize(
    ("header", "wish"),
    [
        ("120", timedelta(seconds=120)),
        (" 0 ", timedelta(0)),
        ("Sat, 14 Feb 2026 10:05:00 GMT", timedelta(minutes=5)),
        ("Sat, 14 Feb 2026 09:00:00 GMT", timedelta(0)),
        ("Sat, 14 Feb 2026 10:05:00", timedelta(minutes=5)),
        ("999999999999999999999", MAX_RETRY_AFTER),
        ("Fri, 31 Dec 9999 23:59:59 GMT", MAX_RETRY_AFTER),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("soon", None),
        ("٣", None),
    ],
)
def test_retry_after_is_parsed(header, wish):
    assert parse_retry_after(header, now=NOW) == wish


def test_an_endpoint_is_doubtful_for_a_minute_after_a_failure():
    assert not is_doubtful(None, now=NOW)
    assert is_doubtful(NOW - timedelta(seconds=59), now=NOW)
    assert not is_doubtful(NOW - timedelta(seconds=60), now=NOW)


def test_an_endpoint_that_only_fails_for_ten_seconds_is_down():
    assert not is_down(None, now=NOW)
    assert not is_down(NOW - timedelta(seconds=9), now=NOW)
    assert is_down(NOW - timedelta(seconds=10), now=NOW)


def test_five_days_of_failure_are_too_long():
    assert not has_failed_too_long(None, now=NOW)
    assert not has_failed_too_long(NOW - timedelta(days=5) + timedelta(seconds=1), now=NOW)
    assert has_failed_too_long(NOW - timedelta(days=5), now=NOW)


@pytest.mark.parametrize("body", [b"{}", '{"name":"Zoë 🏆"}'.encode()])
def test_the_public_library_verifies_signatures_of_both_secrets(body):
    secrets = [secret_text(bytes(range(32))), secret_text(b"x" * 32)]

    headers = signature_headers(message_id="m1", at=datetime.now(UTC), body=body, secrets=secrets)

    assert all(Webhook(secret).verify(body, headers) for secret in secrets) or body == b"{}"
    for secret in secrets:
        Webhook(secret).verify(body, headers)
    assert headers["webhook-signature"].count("v1,") == 2


PUBLIC = ["8.8.8.8", "93.184.216.34", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2001:4860:4860::8888"]
NOT_PUBLIC = [
    "0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.127.255.255", "127.0.0.1", "127.255.255.254", "169.254.169.254",
    "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.2.1", "192.88.99.1", "192.168.0.1", "198.18.0.1", "198.51.100.1",
    "203.0.113.1", "224.0.0.1", "239.255.255.255", "240.0.0.1", "255.255.255.255",
    "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:169.254.169.254", "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe", "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "5f00::1",
    "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address(address):
    assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_non_public_address(address):
    assert not is_public(ipaddress.ip_address(address))


def test_a_non_public_network_can_be_allowed():
    networks = [ipaddress.ip_network("10.1.0.0/16"), ipaddress.ip_network("::1/128")]

    assert is_allowed(ipaddress.ip_address("10.1.2.3"), networks)
    assert is_allowed(ipaddress.ip_address("::1"), networks)
    assert not is_allowed(ipaddress.ip_address("10.2.0.1"), networks)


STRICT = Policy(allows_http=False, ports=frozenset({443, 8443}), networks=())
LAX = Policy(allows_http=True, ports=frozenset(), networks=(ipaddress.ip_network("127.0.0.0/8"),))


@pytest.mark.parametrize(
    "url",
    ["https://shop.example/hook", "https://shop.example:8443/a?b=c", "https://8.8.8.8/", "https://[2606:4700::1111]/x",
     "https://xn--bcher-kva.example/", "https://a_b.example.", "HTTPS://SHOP.EXAMPLE/"],
)  # fmt: skip
def test_an_allowed_target(url):
    assert target_problem(url, STRICT) is None


@pytest.mark.parametrize(
    "url",
    ["", "shop.example", "http://shop.example/", "ftp://shop.example/", "https://", "https:///x", "https://shop.example:80/",
     "https://shop.example:0/", "https://shop.example:99999/", "https://shop.example:x/", "https://user:pw@shop.example/",
     "https://user@shop.example/", "https://shop.example/#x", "https://shop.example/ x", "https://bücher.example/",
     "https://\uff11\uff12\uff17.0.0.1/", "https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://[fe80::1%25eth0]/",
     "https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/", "https://127.0.0.1./",
     "https://a..b/", "https://-a.example/", "https://[::1/", "https://shop.example\\@127.0.0.1/", "https://a.example/\n",
     "https://" + "a" * 500 + ".example/", "javascript:alert(1)", "//shop.example/", "https:shop.example"],
)  # fmt: skip
def test_a_refused_target(url):
    assert target_problem(url, STRICT) is not None


def test_settings_can_allow_http_and_this_machine():
    assert target_problem("http://127.0.0.1:8000/hook", LAX) is None
    assert target_problem("http://localhost:8000/hook", LAX) is None
    assert target_problem("http://10.0.0.1:8000/hook", LAX) is not None
