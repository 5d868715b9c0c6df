"""Sessions of the console: what is stored of them, when they end, and what ends them all."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.base import UpdateError
from django.contrib.sessions.models import Session
from django.test import Client

from gamify_project.models import ConsoleSession
from gamify_project.sessions import SessionStore
from gamify_project.tasks import clear_expired_sessions
from tests.authenticator import PASSWORD, Owner
from tests.console import Console, text_of, trail

ACCOUNT = "/console/account/"
NEW = "another horse battery"
HOUR = timedelta(hours=1).total_seconds()

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock(time_machine: Any, settings: Any) -> Any:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.SESSION_IDLE, settings.SESSION_MAX = timedelta(hours=8), timedelta(hours=24)
    time_machine.move_to("2026-03-01T08:00:00Z", tick=False)
    return time_machine


@pytest.fixture
def owner(db: None) -> Owner:
    owner = Owner(User.objects.create_user("owner", password=PASSWORD, is_staff=True))
    owner.give_password()
    return owner


def elsewhere(owner: Owner) -> Owner:
    """A second session of the same account."""
    other = Owner(owner.user, address="192.0.2.2")
    other.give_password()
    return other


def cookie(owner: Owner) -> Any:
    return owner.client.cookies["gamify_session"]


def test_the_database_does_not_contain_the_cookie(owner: Owner) -> None:
    stored = str(list(ConsoleSession.objects.values_list()))

    assert owner.is_inside()
    assert len(cookie(owner).value) >= 32
    assert cookie(owner).value not in stored
    assert not Session.objects.exists()


def test_what_the_database_contains_is_no_cookie(owner: Owner) -> None:
    thief = Client()
    thief.cookies["gamify_session"] = ConsoleSession.objects.get().session_key

    assert thief.get(ACCOUNT).status_code == 302


def test_the_cookie_is_not_for_scripts_and_other_sites(owner: Owner) -> None:
    assert (cookie(owner)["httponly"], cookie(owner)["samesite"]) == (True, "Lax")


def test_a_session_ends_after_eight_idle_hours(owner: Owner, clock: Any) -> None:
    clock.shift(7 * HOUR)
    assert owner.is_inside()
    clock.shift(7 * HOUR)
    assert owner.is_inside()
    clock.shift(8 * HOUR)
    assert not owner.is_inside()


def test_a_session_ends_a_day_after_the_login_although_it_is_used(owner: Owner, clock: Any) -> None:
    inside = []
    for _ in range(25):
        inside.append(owner.is_inside())
        clock.shift(HOUR)

    assert inside == [True] * 24 + [False]


def test_the_cookie_ends_with_the_session(owner: Owner, clock: Any) -> None:
    assert cookie(owner)["max-age"] == 8 * HOUR

    for hours in (7, 7, 5):
        clock.shift(hours * HOUR)
        owner.is_inside()

    assert cookie(owner)["max-age"] == 5 * HOUR


def test_requests_in_quick_succession_write_nothing(owner: Owner, clock: Any) -> None:
    owner.is_inside()
    before = ConsoleSession.objects.values().get()

    clock.shift(30)
    owner.is_inside()
    assert ConsoleSession.objects.values().get() == before
    clock.shift(60)
    owner.is_inside()
    assert ConsoleSession.objects.get().expire_date > before["expire_date"]


def test_a_login_gets_a_new_cookie(owner: Owner) -> None:
    before = cookie(owner).value
    owner.client.post("/console/logout/")

    owner.give_password()

    assert cookie(owner).value != before
    assert ConsoleSession.objects.count() == 1


def test_a_logout_removes_the_session(owner: Owner) -> None:
    owner.client.post("/console/logout/")

    assert not ConsoleSession.objects.exists()


def test_logging_out_everywhere_ends_all_sessions_of_the_account_and_no_other(owner: Owner) -> None:
    other, boss = elsewhere(owner), Console(user=User.objects.create_superuser("boss"))
    assert "2 open sessions" in text_of(owner.client.get(ACCOUNT))

    answer = owner.client.post("/console/log_out_everywhere/")

    assert "logged out everywhere" in text_of(owner.client.get(answer.url))
    assert (owner.is_inside(), other.is_inside()) == (False, False)
    assert boss.get("account").status_code == 200
    assert trail()[-1] == ("owner", 2, "Logged out everywhere.")


def test_a_link_does_not_log_out_everywhere(owner: Owner) -> None:
    assert owner.client.get("/console/log_out_everywhere/").status_code == 405
    assert owner.is_inside()


def test_a_new_password_ends_all_other_sessions(owner: Owner) -> None:
    other = elsewhere(owner)
    fields = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}

    assert owner.client.post("/console/password_change/", fields).status_code == 302

    assert (owner.is_inside(), other.is_inside()) == (True, False)


def test_a_new_second_factor_ends_all_other_sessions(owner: Owner) -> None:
    other = elsewhere(owner)

    owner.set_up()

    assert (owner.is_inside(), other.is_inside()) == (True, False)
    assert ConsoleSession.objects.count() == 1


def test_a_superuser_ends_the_sessions_of_a_colleague(owner: Owner) -> None:
    boss = Console(user=User.objects.create_superuser("boss"))

    boss.post("auth_user_end_sessions", owner.user.pk)

    assert not owner.is_inside()
    assert trail()[-1] == ("owner", 2, "Ended all sessions.")


def test_a_deactivated_account_is_out_at_once(owner: Owner) -> None:
    User.objects.update(is_active=False)

    assert not owner.is_inside()


def test_expired_sessions_are_deleted_at_night(owner: Owner, clock: Any) -> None:
    clock.shift(5 * HOUR)
    elsewhere(owner)
    clock.shift(4 * HOUR)

    clear_expired_sessions()

    assert ConsoleSession.objects.count() == 1


def test_a_session_that_was_ended_meanwhile_is_not_written_back(owner: Owner) -> None:
    store = SessionStore(cookie(owner).value)
    store["picked"] = "x"
    ConsoleSession.objects.all().delete()

    with pytest.raises(UpdateError):
        store.save()
    assert not ConsoleSession.objects.exists()
