"""Roles: who sees which tenant, drafts, the members of a tenant, and the page for what is refused."""

import re
from functools import partial
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.badges.services import create_badge, update_badge
from gamify_project.memberships import MembershipAdmin
from participants.admin.authorization import role_in
from participants.admin.definitions import DefinitionAdmin
from participants.models import ROLES, Capability, ConfigurationChange, Membership, Tenant
from participants.services.memberships import MembershipNotFound, change_role, give_role, take_role
from streaks.models import Streak
from streaks.services import create_streak
from tests.console import Console, errors_of, member, staff, text_of, trail, user_with_role
from tests.factories import ParticipantFactory

LIST, ADD, CHANGE = (f"participants_membership_{name}" for name in ("changelist", "add", "change"))
NEW = "a correct horse battery"

MAY = {
    "viewer": {Capability.SEE_PARTICIPANTS},
    "support": {Capability.SEE_PARTICIPANTS, Capability.CARE},
    "editor": {Capability.SEE_PARTICIPANTS, Capability.DRAFT},
    "publisher": {Capability.SEE_PARTICIPANTS, Capability.DRAFT, Capability.PUBLISH},
    "developer": {Capability.DEVELOP},
    "owner": set(Capability) - {Capability.OPERATE},
}


def badge(tenant: Tenant, *, is_active: bool) -> Badge:
    data = {"code": "gold", "name": "Gold", "is_active": is_active}
    return create_badge(tenant=tenant, data=data, now=timezone.now())


def test_the_roles_and_what_they_may() -> None:
    expected = {name: {Capability.SEE_DEFINITIONS, *capabilities} for name, capabilities in MAY.items()}

    assert {name: set(role.capabilities) for name, role in ROLES.items()} == expected


# --- tenants ----------------------------------------------------------------------------------------------------------


def test_people_with_roles_can_only_choose_their_tenants(tenant: Tenant, other_tenant: Tenant) -> None:
    console = Console(user=user_with_role("viewer", tenant))

    shown = text_of(console.get("pick_tenant"))

    assert ("Acme" in shown, "Globex" in shown) == (True, False)
    assert console.post("pick_tenant", tenant=str(tenant.sandbox.pk)).status_code == 302
    assert console.post("pick_tenant", tenant=str(other_tenant.pk)).status_code == 404


def test_the_only_tenant_need_not_be_chosen(tenant: Tenant, other_tenant: Tenant) -> None:
    live = Console(user=user_with_role("viewer", tenant, name="live"))
    sandbox = Console(user=user_with_role("viewer", other_tenant.sandbox, name="sandbox"))

    assert live.get("index").context["picked_tenant"] == tenant
    assert sandbox.get("index").context["picked_tenant"] == other_tenant.sandbox


def test_a_person_may_have_another_role_in_another_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    console = member("owner", tenant)
    give_role(tenant=other_tenant, user=console.user, role="viewer", now=timezone.now())

    before = console.get(LIST).status_code
    console.pick(other_tenant)

    assert (before, console.get(LIST).status_code) == (200, 403)


def test_a_role_also_holds_in_the_sandbox_unless_there_is_another_one(tenant: Tenant) -> None:
    user = user_with_role("viewer", tenant)
    first = role_in(user, tenant.sandbox)
    give_role(tenant=tenant.sandbox, user=user, role="owner", now=timezone.now())
    again = User.objects.get(pk=user.pk)

    assert (first, role_in(again, tenant.sandbox), role_in(again, tenant)) == (
        ROLES["viewer"],
        ROLES["owner"],
        ROLES["viewer"],
    )


def test_a_role_in_a_sandbox_does_not_hold_in_the_live_tenant(tenant: Tenant) -> None:
    console = Console(user=user_with_role("owner", tenant.sandbox))

    assert console.post("pick_tenant", tenant=str(tenant.pk)).status_code == 404


def test_a_role_that_is_taken_away_holds_no_longer_with_the_next_request(tenant: Tenant) -> None:
    console = member("viewer", tenant)
    before = console.get("badges_badge_changelist").status_code

    Membership.objects.all().delete()

    assert (before, console.get("badges_badge_changelist").url.partition("?")[0]) == (200, "/console/tenant/")
    assert "No tenant is open to you" in text_of(console.get("pick_tenant"))


def test_a_role_of_a_later_release_grants_nothing(tenant: Tenant) -> None:
    console = member("viewer", tenant)
    Membership.objects.update(role="auditor")

    assert console.get("badges_badge_changelist").status_code == 403


def test_permissions_of_django_hold_in_all_tenants_and_a_role_adds_to_them(
    tenant: Tenant, other_tenant: Tenant
) -> None:
    user = staff("badges.view_badge")
    give_role(tenant=tenant, user=user, role="viewer", now=timezone.now())
    console = Console(tenant, user=user)
    ours = [console.get(f"{page}_changelist").status_code for page in ("badges_badge", "tiers_tier")]
    console.pick(other_tenant)
    theirs = [console.get(f"{page}_changelist").status_code for page in ("badges_badge", "tiers_tier")]

    assert (ours, theirs) == ([200, 200], [200, 403])


def test_the_list_of_tenants_has_only_the_chosen_one(tenant: Tenant, other_tenant: Tenant) -> None:
    shown = member("owner", tenant).get("participants_tenant_changelist").context["cl"].result_list

    assert list(shown) == [tenant]


def test_an_owner_changes_settings_but_not_the_limits(tenant: Tenant) -> None:
    console = member("owner", tenant)
    page = "participants_tenant_change"

    console.edit(page, tenant.pk, support_points_per_day="50", key_requests_per_minute="9")

    tenant.refresh_from_db()
    assert (tenant.support_points_per_day, tenant.key_requests_per_minute) == (50, 60_000)


def test_only_who_sees_all_tenants_creates_keys_for_all_tenants(tenant: Tenant) -> None:
    data = {"name": "x", "opened_for": str(tenant.pk), "scopes": ["platform"]}

    answer = member("developer", tenant).post("participants_apikey_add", **data)

    assert "scopes" in errors_of(answer)


# --- drafts -----------------------------------------------------------------------------------------------------------


def test_what_an_editor_adds_is_a_draft(tenant: Tenant) -> None:
    console = member("editor", tenant)
    about = {"code": "gold", "name": "Gold", "opened_for": str(tenant.pk)}

    streak = {"period": "daily", "condition_type": "count", "week_start": "0", "status": "active"}

    console.edit("badges_badge_add", **about, rarity="common", is_active="on")
    console.edit("streaks_streak_add", **about, **streak)

    assert (Badge.objects.get().is_active, Streak.objects.get().status) == (False, "draft")


@pytest.mark.parametrize(("role", "is_active", "name"), [
    ("editor", False, "New"), ("editor", True, "Gold"), ("publisher", True, "New"), ("viewer", False, "Gold"),
])  # fmt: skip
def test_editors_change_drafts_and_publishers_what_is_active(
    tenant: Tenant, role: str, is_active: bool, name: str
) -> None:
    row = badge(tenant, is_active=is_active)
    data = {**Console(tenant).get("badges_badge_change", row.pk).context["adminform"].form.initial, "name": "New"}

    sent = {key: value for key, value in data.items() if isinstance(value, str | int)}
    member(role, tenant).post("badges_badge_change", row.pk, **sent, **{"initial-name": "Gold"})

    row.refresh_from_db()
    assert (row.name, row.is_active) == (name, is_active)


@pytest.mark.parametrize("role", ["editor", "publisher"])
def test_only_publishers_activate(tenant: Tenant, role: str) -> None:
    row = badge(tenant, is_active=False)
    data = {"action": "activate", "_selected_action": [str(row.pk)], "confirmed": "yes"}

    member(role, tenant).post("badges_badge_changelist", **data)

    row.refresh_from_db()
    assert row.is_active == (role == "publisher")


def test_an_editor_does_not_change_a_draft_that_is_published_at_the_same_moment(
    tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = badge(tenant, is_active=False)
    console = member("editor", tenant)
    save = DefinitionAdmin.save_changes

    def save_late(self: Any, row: Any, **given: Any) -> Any:
        Badge.objects.filter(pk=row.pk).update(is_active=True)
        return save(self, row, **given)

    monkeypatch.setattr(DefinitionAdmin, "save_changes", save_late)
    answer = console.edit("badges_badge_change", row.pk, name="New")

    row.refresh_from_db()
    assert (answer.status_code, row.name) == (403, "Gold")


def test_an_editor_who_reverts_a_draft_does_not_activate_it(tenant: Tenant) -> None:
    row = badge(tenant, is_active=True)
    for changes in ({"name": "Silver"}, {"is_active": False}):
        row = update_badge(row, tenant=tenant, changes=changes, now=timezone.now())

    member("editor", tenant).post("badges_badge_revert", row.pk, version="1", confirmed="yes")

    row.refresh_from_db()
    assert (row.name, row.is_active) == ("Gold", False)


def test_an_editor_of_streaks_does_not_change_a_paused_one(tenant: Tenant) -> None:
    row = create_streak(
        tenant=tenant,
        data={"code": "daily", "name": "Daily", "event_types": ["*"], "status": "paused"},
        now=timezone.now(),
    )

    assert member("editor", tenant).post("streaks_streak_change", row.pk, name="New").status_code == 403


# --- members ----------------------------------------------------------------------------------------------------------


def test_an_owner_gives_a_role_to_a_colleague(tenant: Tenant) -> None:
    User.objects.create_user("colleague", is_staff=True)
    owner = member("owner", tenant)

    owner.post(ADD, username="colleague", role="support", opened_for=str(tenant.pk))

    row = Membership.objects.get(user__username="colleague")
    assert (row.tenant, row.role) == (tenant, "support")
    change = ConfigurationChange.objects.get(tenant=tenant, object_type="membership", code="colleague")
    assert change.changes == {"role": {"before": None, "after": "support"}}
    assert change.actor == f"staff:{owner.user.pk}"


def test_an_owner_invites_somebody_with_a_link(tenant: Tenant) -> None:
    owner = member("owner", tenant)

    shown = text_of(owner.post(ADD, username="new", role="viewer", creates="on", opened_for=str(tenant.pk)))
    link = re.search(r"http://testserver(/console/reset/[^<\s]+)", shown)
    assert link
    browser = Client()
    path = browser.get(link[1], follow=True).redirect_chain[-1][0]
    browser.post(path, {"new_password1": NEW, "new_password2": NEW})
    assert "The password of new is set. Log in with it." in text_of(browser.get("/console/login/"))

    user = User.objects.get(username="new")
    assert (user.is_staff, user.is_superuser, user.check_password(NEW)) == (True, False, True)
    assert Console(user=user).get("badges_badge_changelist").status_code == 200
    assert all("/console/reset/" not in message for _, _, message in trail())


@pytest.mark.parametrize("case", ["used", "elsewhere", "existing"])
def test_a_link_is_only_renewed_for_an_account_that_nobody_else_relies_on(
    tenant: Tenant, other_tenant: Tenant, case: str
) -> None:
    owner = member("owner", tenant)
    if case == "existing":
        user = User.objects.create_user("new", is_staff=True)
        row = give_role(tenant=tenant, user=user, role="viewer", now=timezone.now())
    else:
        owner.post(ADD, username="new", role="viewer", creates="on", opened_for=str(tenant.pk))
        row = Membership.objects.get(user__username="new")
        assert "/console/reset/" in text_of(owner.post("participants_membership_invite", row.pk))
    if case == "used":
        row.user.set_password(NEW)
        row.user.save()
    if case == "elsewhere":
        give_role(tenant=other_tenant, user=row.user, role="owner", now=timezone.now())

    answer = owner.post("participants_membership_invite", row.pk)

    assert (answer.status_code, "/console/reset/" in text_of(answer)) == (302, False)


@pytest.mark.parametrize(("account", "creates"), [("nobody", None), ("ops", "on"), ("left", None), ("customer", None)])
def test_what_an_owner_cannot_make_a_member(tenant: Tenant, account: str, creates: str | None) -> None:
    User.objects.create_superuser("ops")
    User.objects.create_user("left", is_staff=True, is_active=False)
    User.objects.create_user("customer")
    owner = member("owner", tenant)
    data = {
        "username": account,
        "role": "viewer",
        "opened_for": str(tenant.pk),
        **({"creates": creates} if creates else {}),
    }

    answer = owner.post(ADD, **data)

    assert list(errors_of(answer)) == ["username"]
    assert Membership.objects.count() == 1


def test_a_role_that_was_taken_away_meanwhile_is_neither_changed_nor_taken_away_again(tenant: Tenant) -> None:
    person = User.objects.create_user("ada", is_staff=True)
    read_before = give_role(tenant=tenant, user=person, role="viewer", now=timezone.now())
    take_role(Membership.objects.get(), now=timezone.now())

    for write in (partial(change_role, read_before, role="owner"), partial(take_role, read_before)):
        with pytest.raises(MembershipNotFound):
            write(now=timezone.now())

    assert ConfigurationChange.objects.filter(object_type="membership").count() == 2


def test_an_owner_changes_and_takes_away_roles_but_not_their_own(tenant: Tenant) -> None:
    owner, colleague = member("owner", tenant), user_with_role("viewer", tenant)
    own, other = (Membership.objects.get(user=user) for user in (owner.user, colleague))

    owner.post(CHANGE, own.pk, role="viewer")
    owner.post("participants_membership_take", own.pk)
    owner.post(CHANGE, other.pk, role="editor")
    changed = Membership.objects.get(pk=other.pk).role
    owner.post("participants_membership_take", other.pk)

    assert (changed, list(Membership.objects.values_list("role", flat=True))) == ("editor", ["owner"])
    recorded = ConfigurationChange.objects.filter(object_type="membership", code="viewer").order_by("id")
    assert [each.changes["role"]["after"] for each in recorded] == ["viewer", "editor", None]


def test_two_owners_cannot_give_one_person_two_roles(tenant: Tenant) -> None:
    user = user_with_role("viewer", tenant)

    answer = member("owner", tenant).post(ADD, username=user.username, role="owner", opened_for=str(tenant.pk))

    assert "has a role in this tenant already" in text_of(answer)
    assert Membership.objects.get(user=user).role == "viewer"


def test_the_member_pages_are_about_one_tenant(tenant: Tenant, other_tenant: Tenant) -> None:
    foreign = Membership.objects.get(user=user_with_role("viewer", other_tenant))
    owner = member("owner", tenant)

    assert owner.post(CHANGE, foreign.pk, role="owner").status_code == 404
    assert [row.user for row in owner.get(LIST).context["cl"].result_list] == [owner.user]
    assert MembershipAdmin.needs.view is Capability.OWN


# --- accounts ---------------------------------------------------------------------------------------------------------


def test_a_superuser_gives_roles_on_the_page_of_the_account(tenant: Tenant, other_tenant: Tenant) -> None:
    user = user_with_role("viewer", tenant)
    row = Membership.objects.get()
    prefix = "memberships"
    rows = {
        f"{prefix}-TOTAL_FORMS": 2, f"{prefix}-INITIAL_FORMS": 1,
        f"{prefix}-0-id": str(row.pk), f"{prefix}-0-user": user.pk, f"{prefix}-0-tenant": str(tenant.pk), f"{prefix}-0-role": "editor",
        f"{prefix}-1-id": "", f"{prefix}-1-user": user.pk, f"{prefix}-1-tenant": str(other_tenant.pk), f"{prefix}-1-role": "owner",
    }  # fmt: skip

    Console().post("auth_user_change", user.pk, username=user.username, is_active="on", is_staff="on", **rows)

    assert dict(Membership.objects.values_list("tenant__slug", "role")) == {"acme": "editor", "globex": "owner"}
    assert ConfigurationChange.objects.filter(object_type="membership").count() == 3


def test_the_page_of_an_account_shows_roles_and_no_list_of_permissions(tenant: Tenant) -> None:
    user = user_with_role("support", tenant)
    console = Console()

    without = text_of(console.get("auth_user_change", user.pk))
    Group.objects.create(name="old")
    with_groups = text_of(console.get("auth_user_change", user.pk))

    assert ("Roles in tenants" in without or "roles in tenants" in without, "Can add" in without) == (True, False)
    assert ('name="groups"' in without, 'name="groups"' in with_groups) == (False, True)


def test_a_superuser_replaces_permissions_by_roles(tenant: Tenant) -> None:
    user = staff("badges.view_badge", "tiers.view_tier")
    user.groups.add(Group.objects.create(name="old"))

    Console().post("auth_user_remove_permissions", user.pk)

    assert (user.user_permissions.count(), user.groups.count(), Permission.objects.exists()) == (0, 0, True)


# --- refusals ---------------------------------------------------------------------------------------------------------


def test_the_page_for_403_says_which_role_is_needed_and_who_gives_it(tenant: Tenant) -> None:
    user_with_role("owner", tenant, name="ada")
    console = member("viewer", tenant)
    ada = ParticipantFactory(tenant=tenant)

    shown = text_of(console.client.get(
        f"/console/participants/participant/{ada.pk}/adjust/", headers={"referer": "http://testserver/console/tenant/"}
    ))  # fmt: skip

    assert "In Acme this needs the role support or owner. Your role there is viewer. ada can give it to you." in shown
    assert 'href="http://testserver/console/tenant/"' in shown


@pytest.mark.parametrize(("page", "words"), [
    ("undo", "needs the role owner"),
    ("badges_badge_add", "needs the role editor or publisher or owner"),
    ("auth_user_changelist", "only superusers may open it"),
    ("participants_apikey_changelist", "needs the role developer or owner"),
])  # fmt: skip
def test_other_pages_say_it_too(tenant: Tenant, page: str, words: str) -> None:
    answer = member("viewer", tenant).get(page)

    assert (answer.status_code, words in text_of(answer)) == (403, True)


def test_the_page_for_403_links_to_no_other_site(tenant: Tenant) -> None:
    answer = member("viewer", tenant).client.get("/console/undo/", headers={"referer": "https://evil.example/"})

    assert (answer.status_code, "evil" in text_of(answer)) == (403, False)


@pytest.mark.parametrize("role", ROLES)
def test_a_participants_page_links_only_to_pages_that_open(tenant: Tenant, role: str) -> None:
    ada = ParticipantFactory(tenant=tenant, points=100)
    console = member(role, tenant)

    shown = console.get("participants_participant_change", ada.pk)
    links = [link.url for link in shown.context["object_links"]] if shown.status_code == 200 else []

    assert {console.client.get(link).status_code for link in links} <= {200, 302}
