"""Failed logins: what slows down which attempts, and that an attack does not lock the owner out."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt, AccessLog
from django.contrib.auth.models import User
from django.test import Client, RequestFactory

from gamify_project.addresses import PROXY_HEADERS
from gamify_project.logins import NO_WAIT, Failures, growing_wait, login_address, wait_of_address, wait_of_name
from gamify_project.proxies import check_proxies_are_counted
from tests.console import text_of

PASSWORD = "correct horse battery"
NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOME = "198.51.100.7"


@pytest.fixture
def owner(db: None, settings: Any) -> User:
    settings.PASSWORD_HASHERS = [
        "django.contrib.auth.hashers.MD5PasswordHasher"
    ]  # fast; the cost of hashing does not matter here
    return User.objects.create_user("owner", password=PASSWORD, is_staff=True)


@pytest.fixture
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


def log_in(name: str, password: str = "wrong", *, address: str = "192.0.2.1", **headers: str) -> Any:
    client = Client(REMOTE_ADDR=address, headers=headers)
    return client.post("/console/login/?next=/console/", {"username": name, "password": password})


def addresses(number: int) -> list[str]:
    return [f"203.0.113.{last}" for last in range(1, number + 1)]


# --- many names from one address --------------------------------------------------------------------------------------


def test_many_names_from_one_address_are_slowed_down(owner: User, clock: Any) -> None:
    answers = [log_in(f"name{number}") for number in range(40)]

    assert [answer.status_code for answer in answers] == [200] * 20 + [429] * 20
    assert answers[-1]["Retry-After"] == "1"
    assert "Wait 1 second, then try again" in text_of(answers[-1])
    assert log_in("owner", PASSWORD, address=HOME).status_code == 302


def test_the_wait_of_an_address_grows_with_each_failure(owner: User, clock: Any) -> None:
    for number in range(20):
        log_in(f"name{number}")

    for seconds in (1, 2, 3):
        assert log_in("next")["Retry-After"] == str(seconds)
        clock.shift(seconds)
        assert log_in("next").status_code == 200
    assert log_in("next")["Retry-After"] == "4"


def test_an_attempt_during_the_wait_is_not_checked_and_does_not_prolong_it(owner: User, clock: Any) -> None:
    for number in range(20):
        log_in(f"name{number}")

    assert log_in("owner", PASSWORD).status_code == 429
    assert AccessAttempt.objects.count() == 20
    clock.shift(1)
    assert log_in("owner", PASSWORD).status_code == 302


def test_a_successful_login_does_not_clear_failures_of_other_names(owner: User, clock: Any) -> None:
    for number in range(20):
        log_in(f"name{number}")
    clock.shift(1)
    log_in("owner", PASSWORD)
    log_in("name")

    assert log_in("name")["Retry-After"] == "2"


# --- one name from many addresses -------------------------------------------------------------------------------------


def attack(name: str, number: int) -> list[int]:
    return [log_in(name, address=address).status_code for address in addresses(number)]


def test_one_name_from_many_addresses_is_slowed_down(owner: User, clock: Any) -> None:
    assert attack("owner", 40) == [200] * 20 + [429] * 20
    assert log_in("owner", address="203.0.113.40")["Retry-After"] == "2"
    assert log_in("somebody else", address="203.0.113.40").status_code == 200


def test_the_owner_at_a_new_address_waits_two_seconds(owner: User, clock: Any) -> None:
    attack("owner", 40)

    assert log_in("owner", PASSWORD, address=HOME)["Retry-After"] == "2"
    clock.shift(2)
    assert log_in("owner", PASSWORD, address=HOME).status_code == 302


def test_the_owner_at_a_known_address_does_not_wait(owner: User, clock: Any) -> None:
    log_in("owner", PASSWORD, address=HOME)
    clock.shift(timedelta(days=29).total_seconds())
    attack("owner", 40)

    assert log_in("owner", PASSWORD, address=HOME).status_code == 302


def test_an_address_is_known_for_30_days_and_for_the_name_that_logged_in(owner: User, clock: Any) -> None:
    User.objects.create_user("attacker", password=PASSWORD, is_staff=True)
    log_in("owner", PASSWORD, address=HOME)
    log_in("attacker", PASSWORD, address="192.0.2.66")
    clock.shift(timedelta(days=31).total_seconds())
    attack("owner", 20)

    assert log_in("owner", PASSWORD, address=HOME).status_code == 429
    assert log_in("owner", address="192.0.2.66").status_code == 429


def test_other_user_agents_make_no_new_addresses(owner: User, clock: Any) -> None:
    for number in range(9):
        log_in("owner", address="192.0.2.1", **{"User-Agent": f"agent {number}"})
    attack("owner", 11)

    answer = log_in("owner", address="192.0.2.1", **{"User-Agent": "agent 10"})

    assert (answer.status_code, answer["Retry-After"]) == (429, "1")


def test_after_15_minutes_nothing_is_slowed_down(owner: User, clock: Any) -> None:
    attack("owner", 40)
    clock.shift(15 * 60)

    assert attack("owner", 20) == [200] * 20


def test_the_lock_of_a_pair_says_when_to_retry(owner: User, clock: Any) -> None:
    answers = [log_in("owner") for _ in range(10)]

    assert (answers[-1].status_code, answers[-1]["Retry-After"]) == (429, "900")


# --- the rules by themselves ------------------------------------------------------------------------------------------


@pytest.mark.engine
@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (19, 0), (20, 1), (21, 2), (78, 59), (79, 60), (10_000, 60)])
def test_the_growing_wait(failures: int, seconds: int) -> None:
    assert growing_wait(failures) == timedelta(seconds=seconds)


def failed(address: str, count: int, *, ago: float) -> Failures:
    return Failures(address, count, NOW - timedelta(seconds=ago))


@pytest.mark.engine
@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([], 0),
        ([failed("a", 19, ago=0)], 0),
        ([failed("a", 20, ago=0)], 1),
        ([failed("a", 30, ago=4)], 7),
        ([failed("a", 500, ago=0)], 60),
    ],
)
def test_the_wait_of_an_address(failures: list[Failures], seconds: int) -> None:
    assert wait_of_address(failures, now=NOW) == timedelta(seconds=seconds)


@pytest.mark.engine
@pytest.mark.parametrize(
    ("failures", "seconds"),
    [
        ([failed("b", 9, ago=0), failed("c", 9, ago=0)], 0),
        (
            [failed("b", 10, ago=0), failed("c", 10, ago=0)],
            0,
        ),  # none of them is a new address, so a new one need not wait
        ([failed("b", 20, ago=0), failed("c", 1, ago=0.5)], 1.5),
        ([failed("a", 1, ago=0), failed("b", 29, ago=0)], 11),
        ([failed("a", 1, ago=90), failed("b", 500, ago=0)], -30),
    ],
)
def test_the_wait_of_a_name_at_address_a(failures: list[Failures], seconds: float) -> None:
    assert wait_of_name(failures, "a", now=NOW) == timedelta(seconds=seconds)
    assert wait_of_name([], "a", now=NOW) == NO_WAIT


@pytest.mark.engine
@pytest.mark.parametrize(
    ("remote", "forwarded", "proxies", "counted"),
    [
        ("192.0.2.1", "198.51.100.7", 0, "192.0.2.1"),
        ("192.0.2.1", "198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "6.6.6.6, 198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "198.51.100.7:4711", 1, "198.51.100.7"),
        ("192.0.2.1", "[2001:db8:1:2:3::4]:4711", 1, "2001:db8:1:2::"),
        ("192.0.2.1", "2001:db8:1:2:3::4", 1, "2001:db8:1:2::"),
        ("192.0.2.1", "::ffff:198.51.100.7", 1, "198.51.100.7"),
        ("192.0.2.1", "unknown", 1, "192.0.2.1"),
        ("192.0.2.1", "' OR 1=1", 1, "192.0.2.1"),
        ("", "unknown", 1, None),
        ("", "", 0, None),
    ],
)
def test_the_address_that_failures_are_counted_for(
    settings: Any, remote: str, forwarded: str, proxies: int, counted: str | None
) -> None:
    settings.TRUSTED_PROXIES = proxies
    request = RequestFactory().get("/", REMOTE_ADDR=remote, headers={"X-Forwarded-For": forwarded})

    assert login_address(request) == counted


@pytest.mark.parametrize("forwarded", ["unknown", "198.51.100.7:4711", "2001:db8::1%eth0", "x" * 300, "1.2.3"])
def test_no_header_of_a_proxy_makes_a_login_fail(owner: User, settings: Any, forwarded: str) -> None:
    settings.TRUSTED_PROXIES = 1

    assert log_in("owner", **{"X-Forwarded-For": forwarded}).status_code == 200
    assert log_in("owner", PASSWORD, **{"X-Forwarded-For": forwarded}).status_code == 302
    assert AccessLog.objects.count() == 1


# --- a proxy that nobody counted --------------------------------------------------------------------------------------


def warnings(caplog: Any) -> int:
    return len([record for record in caplog.records if "proxy_header_ignored" in record.getMessage()])


@pytest.mark.parametrize("header", PROXY_HEADERS)
def test_a_proxy_header_without_trusted_proxies_is_warned_of_once(db: None, caplog: Any, header: str) -> None:
    client = Client()

    client.get("/health")
    assert warnings(caplog) == 0
    for _ in range(3):
        client.get("/health", headers={header: "198.51.100.7"})

    assert warnings(caplog) == 1


def test_a_proxy_that_is_counted_is_not_warned_of(db: None, settings: Any, caplog: Any) -> None:
    settings.TRUSTED_PROXIES = 1

    Client().get("/health", headers={"X-Forwarded-For": "198.51.100.7"})

    assert warnings(caplog) == 0


@pytest.mark.parametrize(("proxies", "redirects", "ids"), [(0, True, ["gamify.W001"]), (1, True, []), (0, False, [])])
def test_the_deployment_check_warns_where_https_needs_a_proxy_that_is_not_counted(
    settings: Any, proxies: int, redirects: bool, ids: list[str]
) -> None:
    settings.TRUSTED_PROXIES, settings.SECURE_SSL_REDIRECT = proxies, redirects

    assert [found.id for found in check_proxies_are_counted(None)] == ids
