import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from participants.admin.panels import panels
from tests.console import NO_ROLES, Console, staff, text_of

PASSWORD = "correct horse battery"
LOGIN = "/console/login/"
PAGES = sorted(f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry)


def test_the_pages_of_the_console():
    assert set(PAGES) == {
        "admin_logentry",
        "auth_group",
        "auth_user",
        "axes_accessattempt",
        "badges_badge",
        "challenges_challenge",
        "exports_export",
        "facts_event",
        "leaderboards_leaderboard",
        "participants_apikey",
        "participants_configurationchange",
        "participants_hmacsecret",
        "participants_membership",
        "participants_participant",
        "participants_tenant",
        "points_boost",
        "points_ledgerentry",
        "rewards_claim",
        "rewards_reward",
        "rewards_rewardcode",
        "rules_rule",
        "streaks_amnesty",
        "streaks_participantstreak",
        "streaks_streak",
        "tiers_tier",
        "webhooks_delivery",
        "webhooks_endpoint",
    }


def test_the_panels_of_the_participants_page():
    assert set(panels) == {
        "participants", "events", "points", "tiers", "badges", "challenges", "streaks", "rewards", "leaderboards",
    }  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_every_list_and_every_add_page_opens(tenant, page):
    console = Console(tenant)

    assert console.get(f"{page}_changelist").status_code == 200
    assert console.get(f"{page}_add").status_code in {200, 403}


@pytest.mark.parametrize("page", ["index", "pick_tenant", "password_change", *(f"{page}_changelist" for page in PAGES)])
def test_no_page_opens_without_a_login(db, page):
    answer = Client().get(reverse(f"admin:{page}"))

    assert answer.status_code == 302
    assert answer.url.startswith(LOGIN)


def test_a_login_without_a_next_page_leads_to_the_overview(db):
    User.objects.create_superuser("ops", password=PASSWORD)

    answer = Client().post(LOGIN, {"username": "ops", "password": PASSWORD})

    assert (answer.status_code, answer.url) == (302, reverse("admin:index"))


def test_a_page_shows_what_its_reader_may_see(tenant):
    sidebar = text_of(Console(tenant, user=staff("participants.view_participant")).get("index"))

    assert "/console/participants/participant/" in sidebar
    assert "/console/participants/tenant/" not in sidebar
    assert "/console/auth/user/" not in sidebar


@pytest.mark.parametrize(
    ("path", "allowed", "forbidden"),
    [
        (
            LOGIN,
            ["script-src 'self' 'unsafe-eval'", "frame-ancestors 'none'"],
            ["script-src 'self' 'unsafe-inline'", "*"],
        ),
        ("/api/docs", ["script-src 'self';"], ["unsafe-eval"]),
        ("/api/v1/gamify/participants/u/points", ["default-src 'none'"], ["script-src"]),
        ("/health", ["default-src 'none'"], ["script-src"]),
        ("/nowhere", ["default-src 'none'"], ["script-src"]),
    ],
)
def test_every_answer_says_what_a_browser_may_run(db, path, allowed, forbidden):
    policy = Client().get(path)["Content-Security-Policy"]

    assert all(part in policy for part in allowed)
    assert not any(part in policy for part in forbidden)


@pytest.mark.parametrize("path", [LOGIN, "/api/docs", "/health", "/nowhere", "/console/"])
def test_every_page_has_the_headers_that_scanners_look_for(db, path):
    answer = Client().get(path)

    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"
    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["Cross-Origin-Opener-Policy"] == "same-origin"
    assert answer["Cross-Origin-Resource-Policy"] == "same-origin"
    assert "camera=()" in answer["Permissions-Policy"]


def test_no_cookie_can_be_read_by_scripts(ops):
    browser = Client()
    browser.get(LOGIN)
    browser.post(LOGIN, {"username": "ops", "password": PASSWORD})

    assert {name: bool(cookie["httponly"]) for name, cookie in browser.cookies.items()} == {
        "csrftoken": True,
        "gamify_session": True,
    }


@pytest.fixture
def ops(db) -> User:
    return User.objects.create_user("ops", password=PASSWORD, is_staff=True)


def log_in(password: str, *, name: str = "ops", address: str = "192.0.2.1"):
    return Client(REMOTE_ADDR=address).post(f"{LOGIN}?next=/console/", {"username": name, "password": password})


def test_ten_wrong_passwords_lock_the_name_at_that_address(ops):
    answers = [log_in("wrong") for _ in range(10)]

    assert [answer.status_code for answer in answers] == [200] * 9 + [429]
    assert "for 15 minutes" in text_of(answers[-1])
    assert log_in(PASSWORD).status_code == 429
    assert log_in(PASSWORD, address="192.0.2.2").status_code == 302
    assert log_in("wrong", name="other").status_code == 200


def test_the_lock_ends_after_15_minutes_despite_further_attempts(ops, time_machine):
    time_machine.move_to("2026-03-01T12:00:00Z", tick=False)
    for _ in range(10):
        log_in("wrong")

    time_machine.move_to("2026-03-01T12:14:00Z", tick=False)
    assert log_in(PASSWORD).status_code == 429
    time_machine.move_to("2026-03-01T12:15:01Z", tick=False)
    assert log_in(PASSWORD).status_code == 302


def test_a_colleague_unlocks_by_deleting_the_failed_logins(ops):
    for _ in range(10):
        log_in("wrong")
    console = Console(user=User.objects.create_superuser("boss"))
    row = console.get("axes_accessattempt_changelist").context["cl"].result_list[0]

    console.post("axes_accessattempt_delete", row.pk, post="yes")

    assert log_in(PASSWORD).status_code == 302


def test_a_successful_login_clears_earlier_failures(ops):
    for _ in range(9):
        log_in("wrong")
    log_in(PASSWORD)

    assert [log_in("wrong").status_code for _ in range(9)] == [200] * 9


def test_staff_can_be_added_to_a_group(db):
    group = Group.objects.create(name="support")
    console = Console()
    account = {"username": "new", "password1": PASSWORD, "password2": PASSWORD, "usable_password": "true"}

    console.post("auth_user_add", **account)
    new = User.objects.get(username="new")
    change = {"username": "new", "is_active": "on", "is_staff": "on", "groups": [str(group.pk)]}
    console.post("auth_user_change", new.pk, **change, **NO_ROLES)

    new.refresh_from_db()
    assert (new.is_staff, list(new.groups.all())) == (True, [group])
    assert new.check_password(PASSWORD)


def test_staff_who_may_change_users_cannot_promote_themselves(db):
    clerk = staff("auth.view_user", "auth.change_user")
    console = Console(user=clerk)
    promotion = {"username": "clerk", "is_active": "on", "is_staff": "on", "is_superuser": "on"}

    given = {"user_permissions": [str(Permission.objects.first().pk)]}
    console.post("auth_user_change", clerk.pk, **promotion, **given, **NO_ROLES)

    clerk.refresh_from_db()
    assert not clerk.is_superuser
    assert clerk.user_permissions.count() == 2


def test_staff_who_may_change_users_cannot_take_over_a_superuser(db):
    boss = User.objects.create_superuser("boss", password=PASSWORD)
    console = Console(user=staff("auth.view_user", "auth.change_user", "auth.change_group", "auth.delete_user"))
    new = {"password1": "a new password", "password2": "a new password", "usable_password": "true"}

    answers = [
        console.post("auth_user_change", boss.pk, username="boss"),
        console.post("auth_user_password_change", boss.pk, **new),
        console.post("auth_user_delete", boss.pk, post="yes"),
        console.get("auth_group_add"),
    ]

    assert [answer.status_code for answer in answers] == [403] * 4
    boss.refresh_from_db()
    assert boss.check_password(PASSWORD)


def test_the_audit_trail_needs_a_permission_and_cannot_be_written(tenant, queries):
    console = Console(tenant)
    for number in range(3):
        console.post("participants_tenant_add", name=f"T{number}", slug=f"t{number}", timezone="UTC")

    with queries(5):  # session, user, second factor, picked tenant, the rows with their users and types
        shown = text_of(console.get("admin_logentry_changelist"))

    assert "T2" in shown
    assert console.get("admin_logentry_add").status_code == 403
    assert Console(user=staff()).get("admin_logentry_changelist").status_code == 403


def test_writes_need_the_token_of_the_form(tenant):
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.create_superuser("ops"))

    assert client.post(f"/console/participants/tenant/{tenant.pk}/disable/").status_code == 403
