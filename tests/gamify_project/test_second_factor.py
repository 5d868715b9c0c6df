"""The second factor of console accounts: setting it up, the login with it, recovery codes, and who must have one."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import Permission, User
from django.core.management import CommandError, call_command
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from gamify_project.models import RecoveryCode, SecondFactor
from gamify_project.second_factor.services import MAX_WAIT, check, enrolment_uri, key_of, pending_factor, wait_after
from participants.models import Tenant
from participants.services.memberships import give_role
from tests.authenticator import CODE, LOGIN, PASSWORD, SET_UP, Owner, app_code, codes_on, key_on
from tests.console import Console, text_of, trail

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
STEP = 30
ACCOUNT = "/console/account/"

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def fast_hashes(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def clock(time_machine: Any) -> Any:
    time_machine.move_to(NOW, tick=False)
    return time_machine


@pytest.fixture
def owner(db: None) -> Owner:
    return Owner(User.objects.create_user("owner", password=PASSWORD, is_staff=True))


@pytest.fixture
def enrolled(owner: Owner, clock: Any) -> Owner:
    """An owner with a second factor, logged out. The code of the enrolment is used up."""
    owner.give_password()
    owner.set_up()
    owner.client.logout()
    clock.shift(STEP)
    return owner


def elsewhere(owner: Owner, address: str = "203.0.113.9") -> Owner:
    """The same account in another browser."""
    other = Owner(owner.user, address=address)
    other.recovery_codes = owner.recovery_codes
    return other


# --- setting up -------------------------------------------------------------------------------------------------------


def test_a_user_sets_up_a_second_factor_and_sees_ten_recovery_codes_once(owner: Owner) -> None:
    owner.give_password()

    answer = owner.set_up()

    assert len(set(owner.recovery_codes)) == 10
    assert owner.is_inside()
    assert codes_on(owner.client.get(ACCOUNT)) == []
    assert [(row[0], row[2]) for row in trail()] == [("owner", "Set up a second factor.")]
    assert "no-store" in answer["Cache-Control"]


def test_the_qr_code_is_drawn_in_the_page_and_fetches_nothing(owner: Owner) -> None:
    owner.give_password()

    page = text_of(owner.client.get(SET_UP))

    drawing = re.search(r"<svg.*?</svg>", page, re.DOTALL)
    assert drawing
    assert not re.search(r"href|url\(|<image|<script", drawing[0])
    assert "otpauth" not in page


def test_the_uri_names_the_product_the_user_and_the_key(owner: Owner) -> None:
    factor = pending_factor(owner.user, now=NOW)

    uri = enrolment_uri(factor, issuer="Gamify gamify.example")

    assert uri == (
        f"otpauth://totp/Gamify%20gamify.example%3Aowner?secret={key_of(factor)}&issuer=Gamify%20gamify.example"
    )


def test_a_reload_of_the_page_shows_the_same_key(owner: Owner) -> None:
    owner.give_password()

    assert key_on(owner.client.get(SET_UP)) == key_on(owner.client.get(SET_UP))


def test_a_wrong_code_sets_nothing_up(owner: Owner) -> None:
    owner.give_password()

    answer = owner.client.post(SET_UP, {"code": "000000"})

    assert "This code is wrong" in text_of(answer)
    assert not SecondFactor.objects.filter(confirmed=True).exists()
    assert owner.is_inside()


def test_setting_up_needs_a_login(owner: Owner) -> None:
    assert owner.client.get(SET_UP).url == f"/console/login/?next={SET_UP}"


def test_neither_the_key_nor_a_recovery_code_is_stored_in_plain_text(enrolled: Owner) -> None:
    stored = str([list(model.objects.values_list()) for model in (SecondFactor, RecoveryCode)])

    assert enrolled.key not in stored
    assert not any(code in stored or code.replace("-", "") in stored for code in enrolled.recovery_codes)


def test_another_app_replaces_the_first_one_for_a_code_of_it(enrolled: Owner, clock: Any) -> None:
    enrolled.log_in()
    first = enrolled.key
    clock.shift(STEP)

    refused = enrolled.set_up(present="000000")
    assert "This code is wrong" in text_of(refused)
    clock.shift(STEP)
    enrolled.set_up(present=app_code(first))

    assert enrolled.key != first
    assert len(enrolled.recovery_codes) == 10
    assert RecoveryCode.objects.count() == 10


# --- the login --------------------------------------------------------------------------------------------------------


def test_the_right_password_alone_opens_nothing(enrolled: Owner) -> None:
    answer = enrolled.give_password()

    assert (answer.status_code, answer.url) == (302, CODE)
    assert not enrolled.is_inside()
    assert User.objects.get().last_login is not None
    assert "_auth_user_id" not in enrolled.client.session


def test_the_right_code_logs_in_and_leads_to_the_page_that_was_asked_for(enrolled: Owner) -> None:
    answer = enrolled.log_in()

    assert (answer.status_code, answer.url) == (302, ACCOUNT)
    assert enrolled.is_inside()


@pytest.mark.parametrize(
    "code", ["000000", "12345", "1234567", "abcdef", "\u0660" * 6, "aaaa-bbbb-cccc-dddd", "-", "\0"]
)
def test_a_wrong_code_does_not_log_in(enrolled: Owner, code: str) -> None:
    answer = enrolled.log_in(code)

    assert answer.status_code == 200
    assert not enrolled.is_inside()


def test_an_app_code_works_once(enrolled: Owner) -> None:
    code = enrolled.code()
    enrolled.log_in(code)
    other = elsewhere(enrolled)

    assert "was used before" in text_of(other.log_in(code))
    assert not other.is_inside()


def test_a_code_of_an_earlier_step_than_the_last_one_is_over(enrolled: Owner) -> None:
    enrolled.log_in(enrolled.code(steps=1))
    other = elsewhere(enrolled)

    other.log_in(other.code())

    assert not other.is_inside()


@pytest.mark.parametrize(("steps", "is_accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_the_clock_of_the_phone_may_differ_by_one_step(
    enrolled: Owner, clock: Any, steps: int, is_accepted: bool
) -> None:
    clock.shift(5 * STEP)

    enrolled.log_in(enrolled.code(steps=steps))

    assert enrolled.is_inside() == is_accepted


def test_a_recovery_code_works_once_and_is_audited(enrolled: Owner) -> None:
    code = enrolled.recovery_codes[0]

    answer = enrolled.log_in(code)
    again = elsewhere(enrolled).log_in(code)

    assert answer.status_code == 302
    assert again.status_code == 200
    assert "9 recovery codes are left" in text_of(enrolled.client.get(ACCOUNT))
    assert trail()[-1][2] == "Logged in with a recovery code. 9 are left."


def test_a_recovery_code_may_be_typed_without_hyphens_and_in_capitals(enrolled: Owner) -> None:
    enrolled.log_in(enrolled.recovery_codes[0].replace("-", " ").upper())

    assert enrolled.is_inside()


def test_new_recovery_codes_replace_the_old_ones(enrolled: Owner, clock: Any) -> None:
    enrolled.log_in()
    clock.shift(STEP)

    assert codes_on(enrolled.client.post("/console/recovery_codes/", {"code": "000000"})) == []
    clock.shift(STEP)
    new = codes_on(enrolled.client.post("/console/recovery_codes/", {"code": enrolled.code()}))

    assert len(new) == 10
    assert elsewhere(enrolled).log_in(enrolled.recovery_codes[0]).status_code == 200
    clock.shift(STEP)
    assert elsewhere(enrolled).log_in(new[0]).status_code == 302


def test_the_second_step_is_open_for_ten_minutes(enrolled: Owner, clock: Any) -> None:
    enrolled.give_password()
    clock.shift(601)

    assert enrolled.give_code(enrolled.code()).url == "/console/login/"
    assert not enrolled.is_inside()


def test_a_password_that_changes_between_the_steps_ends_the_login(enrolled: Owner) -> None:
    enrolled.give_password()
    enrolled.user.set_password("another horse battery")
    enrolled.user.save()

    assert enrolled.give_code(enrolled.code()).url == "/console/login/"


def test_an_account_that_is_deactivated_between_the_steps_is_not_logged_in(enrolled: Owner) -> None:
    enrolled.give_password()
    User.objects.update(is_active=False)

    assert enrolled.give_code(enrolled.code()).url == "/console/login/"


def test_a_code_without_a_password_before_it_leads_to_the_login(enrolled: Owner) -> None:
    assert enrolled.give_code(enrolled.code()).url == "/console/login/"


def test_the_login_does_not_lead_to_other_sites(enrolled: Owner) -> None:
    data = {"username": "owner", "password": PASSWORD}

    enrolled.client.post("/console/login/?next=https://evil.example/", data)

    assert enrolled.give_code(enrolled.code()).url == "/console/"


def test_a_reset_password_does_not_replace_the_second_factor(enrolled: Owner) -> None:
    boss = Console(user=User.objects.create_superuser("boss"))
    link = re.search(
        r"http://testserver(/console/reset/[^<\s]+)", text_of(boss.post("auth_user_reset_link", enrolled.user.pk))
    )
    assert link
    form = enrolled.client.get(link[1], follow=True).redirect_chain[-1][0]
    new = "another horse battery"
    enrolled.client.post(form, {"new_password1": new, "new_password2": new})

    assert enrolled.give_password(new).url == CODE
    assert not enrolled.is_inside()
    assert enrolled.give_code(enrolled.code()).url == ACCOUNT


# --- guessing ---------------------------------------------------------------------------------------------------------


def test_wrong_codes_lock_the_pair_of_name_and_address_like_wrong_passwords(enrolled: Owner, clock: Any) -> None:
    statuses = []
    for _ in range(10):
        statuses.append(enrolled.log_in("000000").status_code)
        clock.shift(MAX_WAIT / 20)

    assert statuses == [200] * 9 + [429]
    assert "wrong passwords or codes" in text_of(enrolled.give_password())


def test_the_right_password_does_not_clear_the_count_of_wrong_codes(enrolled: Owner) -> None:
    for _ in range(3):
        enrolled.log_in("000000")
        enrolled.client.logout()

    assert AccessAttempt.objects.get().failures_since_start == 3


def test_guesses_from_many_addresses_wait_for_each_other(enrolled: Owner, clock: Any) -> None:
    stranger = [elsewhere(enrolled, f"203.0.113.{number}") for number in range(1, 5)]
    for each in stranger:
        each.give_password()

    assert "was used before" in text_of(stranger[0].give_code("000000"))
    assert "Wait 1 s" in text_of(stranger[1].give_code(enrolled.code()))
    clock.shift(1)
    stranger[2].give_code("000000")
    assert "Wait 2 s" in text_of(stranger[3].give_code(enrolled.code()))


def test_the_owner_at_a_known_address_does_not_wait_for_the_guesses_of_others(enrolled: Owner) -> None:
    stranger = elsewhere(enrolled)
    stranger.log_in("000000")

    assert enrolled.log_in().status_code == 302


def test_a_code_that_comes_too_early_is_not_checked_and_not_counted(enrolled: Owner) -> None:
    stranger = elsewhere(enrolled)
    stranger.log_in("000000")
    stranger.give_code("000000")

    assert SecondFactor.objects.get(confirmed=True).failures == 1


def test_a_right_code_clears_the_count(enrolled: Owner) -> None:
    elsewhere(enrolled).log_in("000000")

    enrolled.log_in()

    assert SecondFactor.objects.get(confirmed=True).failures == 0


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0), (1, 1), (2, 2), (3, 4), (10, 512), (11, 900), (10_000, 900)])
def test_the_wait_doubles_up_to_a_quarter_of_an_hour(failures: int, seconds: int) -> None:
    assert wait_after(failures, NOW, now=NOW) == timedelta(seconds=seconds)


def test_what_was_typed_is_not_stored_with_the_failed_login(enrolled: Owner) -> None:
    mistyped = enrolled.recovery_codes[0][:-1] + "0"

    enrolled.log_in(mistyped)

    assert mistyped not in str(AccessAttempt.objects.values_list().get())


def test_a_key_that_cannot_be_decrypted_refuses_app_codes_and_still_takes_recovery_codes(
    enrolled: Owner, settings: Any
) -> None:
    code = enrolled.code()
    settings.ENCRYPTION_KEYS = ["another passphrase"]

    assert not check(enrolled.user, code, now=NOW, is_known_address=True).factor
    assert check(enrolled.user, enrolled.recovery_codes[0], now=NOW, is_known_address=True).factor


# --- who must have one ------------------------------------------------------------------------------------------------


def console_paths() -> list[str]:
    """Every path of the console, with 1 for each variable part."""
    found: list[str] = []

    def walk(patterns: Any, prefix: str) -> None:
        for pattern in patterns:
            path = prefix + re.sub(r"<[^>]+>", "1", str(pattern.pattern)).lstrip("^")
            if isinstance(pattern, URLResolver):
                walk(pattern.url_patterns, path)
            elif isinstance(pattern, URLPattern) and path.startswith("console/"):
                found.append("/" + path.removesuffix("\\Z").removesuffix("$"))

    walk(get_resolver("gamify_project.urls").url_patterns, "")
    return found


OPEN_PATHS = (
    "/console/login/",
    "/console/login/code/",
    "/console/second_factor/",
    "/console/reset/1/1/",
    "/console/logout/",
)


def demand_in(tenant: Tenant, owner: Owner) -> None:
    """A tenant in which the owner has a role demands a second factor."""
    Tenant.objects.filter(pk=tenant.pk).update(requires_second_factor=True)
    give_role(tenant=tenant, user=owner.user, role="viewer", now=timezone.now())


def test_a_tenant_demands_it_of_those_who_can_open_it(owner: Owner, tenant: Tenant, other_tenant: Tenant) -> None:
    demand_in(tenant, owner)
    stranger = Owner(User.objects.create_user("stranger", password=PASSWORD, is_staff=True))
    give_role(tenant=other_tenant, user=stranger.user, role="owner", now=timezone.now())
    for each in (owner, stranger):
        each.give_password()

    assert (owner.is_inside(), stranger.is_inside()) == (False, True)


def test_until_a_demanded_second_factor_is_set_up_every_page_leads_to_its_set_up(owner: Owner, tenant: Tenant) -> None:
    demand_in(tenant, owner)
    owner.give_password()
    paths = [path for path in console_paths() if path not in OPEN_PATHS]

    leads = {path: owner.client.get(path) for path in paths}

    assert len(paths) > 150
    assert {
        path for path, answer in leads.items() if (answer.status_code, answer.get("Location")) != (302, SET_UP)
    } == set()


def test_without_a_login_every_page_leads_to_the_login(enrolled: Owner) -> None:
    for path in console_paths():
        if path not in OPEN_PATHS:
            assert enrolled.client.get(path).get("Location", "").startswith("/console/login/"), path


def test_a_session_that_has_not_shown_the_second_factor_leads_to_the_login(enrolled: Owner) -> None:
    enrolled.client.force_login(enrolled.user)

    assert enrolled.client.get(ACCOUNT).url.startswith("/console/login/")
    assert enrolled.client.get(SET_UP).url.startswith("/console/login/")


def test_a_demanded_second_factor_opens_the_console_as_soon_as_it_is_set_up(owner: Owner, tenant: Tenant) -> None:
    demand_in(tenant, owner)
    owner.give_password()
    page = text_of(owner.client.get(SET_UP))
    assert "requires a second factor" in page
    assert "Acme" not in page

    owner.set_up()

    assert owner.is_inside()


def test_who_must_set_it_up_can_log_out(owner: Owner, tenant: Tenant) -> None:
    demand_in(tenant, owner)
    owner.give_password()

    owner.client.post("/console/logout/")

    assert "_auth_user_id" not in owner.client.session


@pytest.mark.parametrize(
    ("required_for", "is_superuser", "is_required"),
    [
        ("none", True, False),
        ("superusers", True, True),
        ("superusers", False, False),
        ("staff", True, True),
        ("staff", False, True),
    ],
)
def test_the_settings_demand_it_of_superusers_or_of_all_staff(
    owner: Owner, settings: Any, required_for: str, is_superuser: bool, is_required: bool
) -> None:
    settings.SECOND_FACTOR_REQUIRED_FOR = required_for
    User.objects.update(is_superuser=is_superuser)
    owner.give_password()

    assert owner.is_inside() != is_required


def test_a_tenant_demands_it_in_its_form(owner: Owner, tenant: Tenant) -> None:
    console = Console(user=User.objects.create_superuser("boss"))

    console.edit("participants_tenant_change", tenant.pk, requires_second_factor="on")
    give_role(tenant=tenant, user=owner.user, role="viewer", now=timezone.now())

    assert Tenant.objects.get(pk=tenant.pk).requires_second_factor
    owner.give_password()
    assert not owner.is_inside()


def test_api_keys_are_not_concerned(tenant: Tenant, api: Any) -> None:
    Tenant.objects.update(requires_second_factor=True)

    assert api.get("participants").status_code != 302
    assert api.get("points/user_1").status_code != 302


# --- reset ------------------------------------------------------------------------------------------------------------


def test_a_superuser_resets_the_second_factor_of_a_colleague(enrolled: Owner) -> None:
    enrolled.log_in()
    boss = Console(user=User.objects.create_superuser("boss"))
    assert "since 2026-03-01" in text_of(boss.get("auth_user_change", enrolled.user.pk))

    boss.post("auth_user_reset_second_factor", enrolled.user.pk)

    assert not SecondFactor.objects.exists()
    assert not RecoveryCode.objects.exists()
    assert not enrolled.is_inside()
    assert trail()[-1] == ("owner", 2, "Reset the second factor.")
    assert enrolled.give_password().url == ACCOUNT


def test_only_superusers_reset_a_second_factor(enrolled: Owner) -> None:
    clerk = User.objects.create_user("clerk", is_staff=True)
    clerk.user_permissions.set(Permission.objects.all())

    answer = Console(user=clerk).post("auth_user_reset_second_factor", enrolled.user.pk)

    assert answer.status_code == 403
    assert SecondFactor.objects.exists()


def test_the_command_resets_the_second_factor_of_the_only_superuser(enrolled: Owner, capsys: Any) -> None:
    enrolled.log_in()

    call_command("reset_second_factor", "owner", "--json")

    assert '"reset": true' in capsys.readouterr().out
    assert enrolled.give_password().url == ACCOUNT


def test_the_command_names_an_account_that_is_not_there(db: None) -> None:
    with pytest.raises(CommandError, match="There is no account 'who'"):
        call_command("reset_second_factor", "who")


def test_the_login_page_is_the_usual_one_without_a_second_factor(owner: Owner) -> None:
    assert owner.client.get(LOGIN).status_code == 200
    assert owner.give_password().url == ACCOUNT
    assert owner.client.get(LOGIN).url == "/console/"
