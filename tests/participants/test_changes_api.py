"""The change log of configuration: `GET admin/changes`."""

import json

import pytest
from django.contrib.auth.models import Group, User
from django.core.management import call_command
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.webhooks import services as webhooks
from gamify_project.models import SecondFactor
from gamify_project.second_factor.services import reset
from participants.models import ConfigurationChange
from participants.services.keys import revoke_api_key
from tests.client import refused_fields
from tests.console import Console
from tests.factories import made_key, made_secret


def changes(api, query=""):
    return api.get(f"/admin/changes{query}").json()


@pytest.fixture
def badge(admin_api):
    return admin_api.post("/admin/badges", {"code": "fan", "name": "Fan"}).json()


def rename(api, badge, name, **headers):
    return api.patch(f"/admin/badges/{badge['id']}", {"name": name}, headers=headers)


def test_a_change_has_its_author_its_request_its_reason_and_both_values(admin_api, badge):
    rename(admin_api, badge, "Fän", **{"X-Request-Id": "r-1", "X-Change-Reason": "Frühling".encode().decode("latin-1")})

    (item, created) = changes(admin_api, "?object_type=badge")["items"]

    assert item["actor"]["kind"] == "api_key"
    assert (item["request_id"], item["reason"]) == ("r-1", "Frühling")
    assert (item["object_type"], item["object_id"], item["code"], item["version"]) == ("badge", badge["id"], "fan", 2)
    assert item["changes"] == {"name": {"before": "Fan", "after": "Fän"}}
    assert created["version"] == 1
    assert created["changes"]["name"] == {"before": None, "after": "Fan"}


def test_the_console_leaves_the_same_row_as_the_api(tenant, admin_api, badge):
    console = Console(tenant)

    console.edit("badges_badge_change", badge["id"], name="Admirer", change_reason="Wording")

    item = changes(admin_api, "?object_type=badge")["items"][0]
    assert item["changes"] == {"name": {"before": "Fan", "after": "Admirer"}}
    assert item["actor"] == {"kind": "staff", "id": str(console.user.pk), "label": "ops"}
    assert item["reason"] == "Wording"


def test_what_stays_the_same_is_no_change(admin_api, badge):
    rename(admin_api, badge, "Fan")

    assert len(changes(admin_api, "?object_type=badge")["items"]) == 1


def test_a_refused_change_leaves_no_row(admin_api, badge, nothing_written):
    with nothing_written():
        assert rename(admin_api, badge, "x" * 101).status_code == 422
        assert refused_fields(rename(admin_api, badge, "New", **{"X-Change-Reason": "x" * 501})) == ["X-Change-Reason"]


def test_keys_secrets_webhooks_and_tenants_are_in_it_and_no_secret_is(tenant, admin_api):
    now = timezone.now()
    key, secret = made_key(tenant, name="shop"), made_secret(tenant, name="partner")
    revoke_api_key(prefix_or_id=str(key.row.pk), now=now)
    hook = webhooks.create_endpoint(tenant=tenant, data={"url": "http://127.0.0.1:9/", "event_types": ["*"]}, now=now)
    turned = webhooks.rotate_secret(hook.endpoint, now=now)
    call_command("set_tenant_status", "acme", "--disable")
    call_command("set_tenant_status", "acme", "--enable")

    items = changes(admin_api)["items"]

    kinds = [item["object_type"] for item in items]
    assert set(kinds) == {"tenant", "api_key", "partner_secret", "webhook"}
    assert {"is_active": {"before": True, "after": False}} in [item["changes"] for item in items]
    assert {"secret": {"before": "(hidden)", "after": "(changed)"}} in [item["changes"] for item in items]
    assert any("revoked_at" in item["changes"] for item in items)
    stored = json.dumps(list(ConfigurationChange.objects.values_list("changes", "code", "reason")))
    for text in (key.key, secret.text, hook.secret, turned.secret):
        assert text not in stored


def test_staff_accounts_are_in_it_without_their_passwords(db):
    call_command("createsuperuser", "--noinput", "--username=alex", "--email=a@example.com")
    user = User.objects.get()
    user.set_password("correct horse battery")
    user.save()
    user.last_login = timezone.now()
    user.save(update_fields=["last_login"])
    user.groups.add(Group.objects.create(name="support"))

    rows = ConfigurationChange.objects.filter(object_type="staff_user").order_by("id")

    created, password, group = [row.changes for row in rows]
    assert created["username"] == {"before": None, "after": "alex"}
    assert password == {"password": {"before": "(hidden)", "after": "(changed)"}}
    assert group == {"groups": {"before": [], "after": ["support"]}}
    assert user.password not in json.dumps([created, password, group])


def test_a_second_factor_is_in_it_from_its_confirmation_to_its_removal(db):
    user = User.objects.create_user("alex")
    factor = SecondFactor.objects.create(user=user, created_at=timezone.now(), confirmed=False)
    factor.confirmed = True
    factor.save(update_fields=["confirmed"])
    factor.save(update_fields=["last_used_at"])
    reset(user)

    rows = ConfigurationChange.objects.filter(object_id=str(user.pk)).order_by("id")

    assert [row.changes.get("second_factor") for row in rows][1:] == [
        {"before": False, "after": True},
        {"before": True, "after": False},
    ]


def test_filters_narrow_the_list(tenant, admin_api, badge):
    admin_api.post("/admin/badges", {"code": "other", "name": "Other"})
    admin_api.post("/admin/tiers", {"code": "fan", "name": "Fan", "level": 1, "award_type": "manual"})

    assert len(changes(admin_api, "?object_type=badge")["items"]) == 2
    assert len(changes(admin_api, "?code=fan")["items"]) == 2
    assert len(changes(admin_api, "?object_type=badge&code=fan")["items"]) == 1
    assert changes(admin_api, "?actor=staff")["items"] == []
    assert changes(admin_api, "?since=2199-01-01T00:00:00Z")["items"] == []


def test_pages_continue_without_gap_or_repetition(admin_api, badge):
    for number in range(4):
        rename(admin_api, badge, f"Fan {number}")
    everything = changes(admin_api)["items"]

    pages, cursor = [], ""
    while cursor is not None:
        page = changes(admin_api, f"?limit=2&cursor={cursor}")
        pages += page["items"]
        cursor = page["next_cursor"]

    assert pages == everything


def test_the_list_needs_the_admin_scope_and_shows_one_tenant(api, other_admin_api, badge):
    assert api.get("/admin/changes").status_code == 403
    assert "badge" not in {item["object_type"] for item in changes(other_admin_api)["items"]}


def test_bookkeeping_of_the_product_is_no_change(tenant, admin_api, badge):
    admin_api.patch(f"/admin/badges/{badge['id']}", {"criteria": {"metric": "balance", "min": 5}})

    item = changes(admin_api, "?object_type=badge")["items"][0]

    assert Badge.objects.get().criteria_revision == 2
    assert set(item["changes"]) == {"criteria"}
