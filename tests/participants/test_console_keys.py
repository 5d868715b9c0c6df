import re
from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from participants.models import ApiKey
from tests.client import Api
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import made_key

SECRET = re.compile(r"bq_(?:live|test)_[\w-]{40,}")


def new_key(console: Console, tenant, **data):
    given = {"name": "shop", "expires_at_0": "", "expires_at_1": "", "opened_for": str(tenant.pk), **data}
    return console.post("participants_apikey_add", **given)


def test_the_secret_is_shown_once_and_opens_the_tenant(tenant):
    console = Console(tenant)

    answer = new_key(console, tenant)

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (secret,) = set(SECRET.findall(text_of(answer)))
    assert Api(secret).get("/participants/u/points").status_code == 200
    row = ApiKey.objects.get()
    assert secret not in text_of(console.get("participants_apikey_change", row.pk))
    assert secret not in text_of(console.get("participants_apikey_changelist"))


def test_the_secret_is_not_stored(tenant):
    console = Console(tenant)

    answer = new_key(console, tenant)

    secret = SECRET.findall(text_of(answer))[0]
    kept = [str(value) for row in ApiKey.objects.values() for value in row.values()]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [cookie.OutputString() for cookie in console.client.cookies.values()]
    kept += [str(row) for row in LogEntry.objects.values()]
    assert not any(secret in text for text in kept)
    assert trail() == [(f"{secret[:14]}…", 1, "Added.")]


def test_scopes_and_expiry_are_as_requested(tenant):
    console = Console(tenant)

    new_key(console, tenant, scopes=["admin", "platform"], expires_at_0="2099-01-02", expires_at_1="03:04:05")

    key = ApiKey.objects.get()
    assert key.scopes == ["admin", "platform"]
    assert key.expires_at.isoformat() == "2099-01-02T03:04:05+00:00"


def test_an_expiry_in_the_past_is_an_error_of_its_field(tenant, nothing_written):
    console = Console(tenant)

    with nothing_written():
        answer = new_key(console, tenant, expires_at_0="2001-01-01", expires_at_1="00:00:00")

    assert errors_of(answer) == {"expires_at": ["Must be in the future."]}


def test_a_key_of_the_sandbox_is_a_test_key(tenant):
    answer = new_key(Console(tenant.sandbox), tenant.sandbox)

    assert SECRET.findall(text_of(answer))[0].startswith("bq_test_")


def test_a_form_opened_for_another_tenant_makes_no_key(tenant, other_tenant, nothing_written):
    console = Console(tenant)
    console.pick(other_tenant)

    with nothing_written():
        answer = new_key(console, tenant)

    assert list(errors_of(answer)) == ["__all__"]


def test_revoking_is_asked_and_then_done(tenant):
    created = made_key(tenant)
    console = Console(tenant)

    asked = console.get("participants_apikey_revoke", created.row.pk)
    before = Api(created.key).get("/participants/u/points").status_code
    console.post("participants_apikey_revoke", created.row.pk)

    assert "Revoke this key" in text_of(asked)
    assert (before, Api(created.key).get("/participants/u/points").status_code) == (200, 401)
    assert trail() == [(str(created.row), 2, "Revoked.")]


def test_a_key_is_neither_edited_nor_deleted(tenant, nothing_written):
    key = made_key(tenant, name="shop").row
    console = Console(tenant)

    with nothing_written():
        answers = [
            console.post("participants_apikey_change", key.pk, name="other"),
            console.post("participants_apikey_delete", key.pk, post="yes"),
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert ApiKey.objects.get().name == "shop"


@pytest.mark.parametrize("page", ["change", "revoke", "history"])
def test_keys_of_other_tenants_are_out_of_reach(tenant, other_tenant, page):
    console = Console(tenant)
    for key in [made_key(other_tenant).row, made_key(tenant.sandbox).row]:
        answers = [ask(f"participants_apikey_{page}", key.pk) for ask in (console.get, console.post)]

        assert {answer.status_code for answer in answers} <= {302, 403}
        assert key.prefix not in text_of(console.get("participants_apikey_changelist"))
    assert not ApiKey.objects.exclude(revoked_at=None).exists()


@pytest.mark.parametrize("status", ["active", "expired", "revoked"])
def test_keys_are_filtered_by_status(tenant, status):
    now = timezone.now()
    keys = {
        "active": made_key(tenant, name="is active").row,
        "expired": made_key(tenant, name="is expired", expires_at=now - timedelta(days=1)).row,
        "revoked": made_key(tenant, name="is revoked").row,
    }
    ApiKey.objects.filter(pk=keys["revoked"].pk).update(revoked_at=now)

    shown = text_of(Console(tenant).get("participants_apikey_changelist", status=status))

    assert {name for name in keys if f"is {name}" in shown} == {status}


def test_staff_who_may_only_view_cannot_create_or_revoke(tenant):
    key = made_key(tenant).row
    console = Console(tenant, user=staff("participants.view_apikey"))

    assert console.get("participants_apikey_change", key.pk).status_code == 200
    assert new_key(console, tenant).status_code == 403
    assert console.post("participants_apikey_revoke", key.pk).status_code == 403


def test_the_list_of_keys_needs_a_constant_number_of_queries(tenant, queries):
    console = Console(tenant)

    for number_of_new in (1, 20):
        for _ in range(number_of_new):
            made_key(tenant)
        with queries(5):  # session, user, second factor, picked tenant, the keys
            assert console.get("participants_apikey_changelist").status_code == 200
