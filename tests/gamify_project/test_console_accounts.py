"""Accounts of staff: who may set passwords, and that only superusers give permissions."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import get_resolver, reverse

from tests.console import NO_ROLES, Console, staff, text_of, trail

PASSWORD = "correct horse battery"
NEW = "another horse battery"
ALL_OF_AUTH = [f"auth.{verb}_{model}" for verb in ("view", "add", "change", "delete") for model in ("user", "group")]

# What staff who may change users, but are no superusers, may change: names, and deactivation.
ALLOWED = {"first_name", "last_name", "is_active"}

CHANGES: dict[str, Any] = {
    "username": "taken over",
    "password": NEW,
    "email": "clerk@example.com",
    "first_name": "Ann",
    "last_name": "Lee",
    "is_active": None,
    "is_staff": None,
    "is_superuser": "on",
    "last_login": "2026-01-01T00:00:00Z",
    "date_joined": "2026-01-01T00:00:00Z",
}


@pytest.fixture
def colleague(db: None) -> User:
    return User.objects.create_user("colleague", "colleague@example.com", PASSWORD, is_staff=True)


@pytest.fixture
def clerk(db: None) -> Console:
    """A user with all permissions on users and groups who is no superuser."""
    return Console(user=staff(*ALL_OF_AUTH))


@pytest.fixture
def boss(db: None) -> Console:
    return Console(user=User.objects.create_superuser("boss"))


def stored(user: User) -> dict[str, Any]:
    return User.objects.filter(pk=user.pk).values().get()


def form_data(user: User, **changes: Any) -> dict[str, Any]:
    """Return the data of the complete form, with some fields changed. None unticks a box."""
    boxes = {name: "on" for name in ("is_active", "is_staff", "is_superuser") if getattr(user, name)}
    data = {"username": user.username, "email": user.email, **NO_ROLES, **boxes, **changes}
    return {name: value for name, value in data.items() if value is not None}


def test_the_table_of_changes_names_every_column_of_an_account() -> None:
    assert set(CHANGES) == {field.name for field in User._meta.concrete_fields} - {"id"}


@pytest.mark.parametrize("field", CHANGES)
def test_staff_who_may_change_users_can_only_correct_names_and_deactivate(
    clerk: Console, colleague: User, field: str
) -> None:
    before = stored(colleague)

    clerk.post("auth_user_change", colleague.pk, **form_data(colleague, **{field: CHANGES[field]}))

    changed = {name for name, value in stored(colleague).items() if value != before[name]}
    assert changed == {field} & ALLOWED


@pytest.mark.parametrize("relation", ["groups", "user_permissions"])
@pytest.mark.parametrize("who", ["colleague", "clerk"])
def test_staff_who_may_change_users_cannot_give_permissions(
    clerk: Console, colleague: User, relation: str, who: str
) -> None:
    user = colleague if who == "colleague" else clerk.user
    before = set(user.get_all_permissions())
    group = Group.objects.create(name="support")
    group.permissions.set(Permission.objects.all())
    given = group if relation == "groups" else Permission.objects.get(codename="delete_tenant")

    clerk.post("auth_user_change", user.pk, **form_data(user, **{relation: [str(given.pk)]}))

    assert User.objects.get(pk=user.pk).get_all_permissions() == before


@pytest.mark.parametrize("page", ["auth_group_add", "auth_group_change", "auth_group_delete"])
def test_only_superusers_change_groups(clerk: Console, page: str) -> None:
    group = Group.objects.create(name="support")
    args = [] if page.endswith("add") else [group.pk]

    answer = clerk.post(page, *args, name="mine", permissions=[str(Permission.objects.first().pk)], post="yes")

    assert answer.status_code == 403
    assert [(row.name, row.permissions.count()) for row in Group.objects.all()] == [("support", 0)]


def test_staff_who_may_change_users_cannot_reactivate_an_account(clerk: Console, colleague: User) -> None:
    User.objects.filter(pk=colleague.pk).update(is_active=False)

    clerk.post("auth_user_change", colleague.pk, **form_data(colleague, is_active="on"))

    assert not stored(colleague)["is_active"]


def pages_about_one_account() -> list[str]:
    """Return the names of all console routes below an account's id."""
    routes = get_resolver("gamify_project.urls").namespace_dict["admin"][1].reverse_dict
    return sorted(name for name in routes if isinstance(name, str) and re.match(r"auth_user_(?!changelist|add)", name))


def test_the_pages_about_one_account() -> None:
    expected = {
        "change",
        "delete",
        "history",
        "password_change",
        "reset_link",
        "reset_second_factor",
        "end_sessions",
        "remove_permissions",
    }
    assert set(pages_about_one_account()) == {f"auth_user_{name}" for name in expected}


@pytest.mark.parametrize("page", pages_about_one_account())
@pytest.mark.parametrize("target", ["colleague", "clerk", "boss"])
def test_no_page_lets_a_non_superuser_set_a_password(
    clerk: Console, boss: Console, colleague: User, page: str, target: str
) -> None:
    user = {"colleague": colleague, "clerk": clerk.user, "boss": boss.user}[target]
    before = stored(user)
    new = {"password": NEW, "password1": NEW, "password2": NEW, "usable_password": "true", "post": "yes"}

    answer = clerk.post(page, user.pk, **form_data(user, **new))

    assert stored(user) == before
    assert "/console/reset/" not in text_of(answer)


def test_the_page_of_an_account_shows_no_password_hash(clerk: Console, colleague: User) -> None:
    reader = User.objects.create_user("reader", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_user"))

    for console in (clerk, Console(user=reader)):
        shown = text_of(console.get("auth_user_change", colleague.pk))
        assert "colleague@example.com" in shown
        assert colleague.password not in shown
        assert "../password/" not in shown


def test_an_account_added_by_a_non_superuser_has_no_password_and_no_permissions(clerk: Console) -> None:
    password = {"usable_password": "true", "password1": PASSWORD, "password2": PASSWORD}

    clerk.post("auth_user_add", username="new", is_staff="on", is_superuser="on", **password)

    new = User.objects.get(username="new")
    assert (new.is_staff, new.is_superuser, new.has_usable_password()) == (False, False, False)


def test_a_superuser_sets_a_password(boss: Console, colleague: User) -> None:
    new = {"password1": NEW, "password2": NEW, "usable_password": "true"}

    boss.post("auth_user_password_change", colleague.pk, **new)

    assert User.objects.get(pk=colleague.pk).check_password(NEW)


def test_the_owner_sets_a_new_password_with_the_old_one(colleague: User) -> None:
    console = Console(user=colleague)

    console.post("password_change", old_password="wrong", new_password1=NEW, new_password2=NEW)
    assert User.objects.get(pk=colleague.pk).check_password(PASSWORD)
    console.post("password_change", old_password=PASSWORD, new_password1=NEW, new_password2=NEW)

    assert User.objects.get(pk=colleague.pk).check_password(NEW)


# --- reset links ------------------------------------------------------------------------------------------------------


def link_for(boss: Console, user: User) -> str:
    shown = text_of(boss.post("auth_user_reset_link", user.pk))
    found = re.search(r"http://testserver(/console/reset/[^<\s]+)", shown)
    assert found, shown
    return found[1]


def use(link: str, password: str = NEW) -> Any:
    """Open the link like a browser, and submit the form."""
    browser = Client()
    opened = browser.get(link, follow=True)
    path = opened.redirect_chain[-1][0] if opened.redirect_chain else link
    return browser.post(path, {"new_password1": password, "new_password2": password})


def test_the_owner_sets_a_new_password_with_a_link_that_a_superuser_made(boss: Console, colleague: User) -> None:
    link = link_for(boss, colleague)

    answer = use(link)

    assert (answer.status_code, answer.url) == (302, reverse("admin:login"))
    assert User.objects.get(pk=colleague.pk).check_password(NEW)
    assert all(link not in message for _, _, message in trail())


def test_a_link_works_once(boss: Console, colleague: User) -> None:
    link = link_for(boss, colleague)
    use(link)

    assert "This link does not work" in text_of(use(link, "a third horse battery"))
    assert User.objects.get(pk=colleague.pk).check_password(NEW)


def test_a_link_works_for_24_hours(boss: Console, colleague: User, time_machine: Any) -> None:
    time_machine.move_to("2026-03-01T12:00:00Z", tick=False)
    link = link_for(Console(user=User.objects.create_superuser("chief")), colleague)

    time_machine.move_to("2026-03-02T12:00:01Z", tick=False)

    assert "This link does not work" in text_of(use(link))
    assert User.objects.get(pk=colleague.pk).check_password(PASSWORD)


def test_a_weak_password_is_refused_by_the_form_of_the_link(boss: Console, colleague: User) -> None:
    answer = use(link_for(boss, colleague), "short")

    assert "at least 12 characters" in text_of(answer)
    assert User.objects.get(pk=colleague.pk).check_password(PASSWORD)


def test_no_link_is_created_for_an_inactive_account(boss: Console, colleague: User) -> None:
    User.objects.filter(pk=colleague.pk).update(is_active=False)

    answer = boss.post("auth_user_reset_link", colleague.pk)

    assert answer.status_code == 302
    assert "/console/reset/" not in text_of(answer)
