import re

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.sessions.models import Session
from django.utils import timezone

from participants.models import HmacSecret
from participants.secrets import decrypt
from participants.services.callers import revoke
from tests.console import Console, errors_of, staff, text_of, trail
from tests.factories import made_secret

SECRET = re.compile(r"phx_[\w-]{40,}")
LIST, ADD, CHANGE, REVOKE = (f"participants_hmacsecret_{page}" for page in ("changelist", "add", "change", "revoke"))


def new_secret(console: Console, tenant, **data):
    return console.post(ADD, **{"name": "Northwind", "opened_for": str(tenant.pk), **data})


@pytest.mark.parametrize("is_sandbox", [False, True])
def test_the_secret_is_shown_once_and_is_the_picked_tenants(tenant, is_sandbox):
    row = tenant.sandbox if is_sandbox else tenant
    console = Console(row)

    answer = new_secret(console, row)

    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (secret,) = set(SECRET.findall(text_of(answer)))
    created = HmacSecret.objects.get()
    assert (created.tenant_id, created.name) == (row.pk, "Northwind")
    assert decrypt(created.ciphertext, of="the test") == secret
    for page in (console.get(CHANGE, created.pk), console.get(LIST)):
        assert "Northwind" in text_of(page)
        assert secret not in text_of(page)
        assert created.ciphertext not in text_of(page)


def test_the_text_of_the_secret_is_not_stored(tenant):
    console = Console(tenant)

    answer = new_secret(console, tenant)

    secret = SECRET.findall(text_of(answer))[0]
    kept = [str(value) for row in HmacSecret.objects.values() for value in row.values()]
    kept += [str(session.get_decoded()) for session in Session.objects.all()]
    kept += [cookie.OutputString() for cookie in console.client.cookies.values()]
    kept += [str(row) for row in LogEntry.objects.values()]
    assert not any(secret in text for text in kept)
    assert trail() == [(str(HmacSecret.objects.get()), 1, "Added.")]


def test_a_secret_needs_a_name(tenant, nothing_written):
    console = Console(tenant)

    with nothing_written():
        answer = new_secret(console, tenant, name="")

    assert list(errors_of(answer)) == ["name"]


def test_a_form_opened_for_another_tenant_makes_no_secret(tenant, other_tenant, nothing_written):
    console = Console(tenant)
    console.pick(other_tenant)

    with nothing_written():
        answer = new_secret(console, tenant)

    assert list(errors_of(answer)) == ["__all__"]


def test_revoking_is_asked_and_then_done(tenant):
    secret = made_secret(tenant).row
    console = Console(tenant)

    asked = console.get(REVOKE, secret.pk)
    before = HmacSecret.objects.active().count()
    console.post(REVOKE, secret.pk)

    assert "Revoke this secret" in text_of(asked)
    assert (before, HmacSecret.objects.active().count()) == (1, 0)
    assert trail() == [(str(secret), 2, "Revoked.")]


def test_a_secret_is_neither_edited_nor_deleted(tenant, nothing_written):
    secret = made_secret(tenant, name="Northwind").row
    console = Console(tenant)

    with nothing_written():
        answers = [
            console.post(CHANGE, secret.pk, name="other"),
            console.post("participants_hmacsecret_delete", secret.pk, post="yes"),
        ]

    assert [answer.status_code for answer in answers] == [403, 403]
    assert HmacSecret.objects.get().name == "Northwind"


@pytest.mark.parametrize("page", ["change", "revoke", "history"])
def test_secrets_of_other_tenants_are_out_of_reach(tenant, other_tenant, page):
    console = Console(tenant)
    for row in (other_tenant, tenant.sandbox):
        secret = made_secret(row, name="Theirs").row
        answers = [ask(f"participants_hmacsecret_{page}", secret.pk) for ask in (console.get, console.post)]

        assert {answer.status_code for answer in answers} <= {302, 403}
        assert "Theirs" not in text_of(console.get(LIST))
    assert HmacSecret.objects.active().count() == 2


@pytest.mark.parametrize("status", ["active", "revoked"])
def test_secrets_are_filtered_by_status(tenant, status):
    made_secret(tenant, name="is active")
    revoke(made_secret(tenant, name="is revoked").row, now=timezone.now())

    shown = text_of(Console(tenant).get(LIST, status=status))

    assert {name for name in ("active", "revoked") if f"is {name}" in shown} == {status}


def test_staff_who_may_only_view_cannot_create_or_revoke(tenant):
    secret = made_secret(tenant).row
    console = Console(tenant, user=staff("participants.view_hmacsecret"))

    assert console.get(CHANGE, secret.pk).status_code == 200
    assert new_secret(console, tenant).status_code == 403
    assert console.post(REVOKE, secret.pk).status_code == 403


def test_the_sidebar_links_to_partner_secrets_if_the_user_may_see_them(tenant):
    page = "/console/participants/hmacsecret/"

    assert page in text_of(Console(tenant, user=staff("participants.view_hmacsecret")).get("index"))


def test_the_list_of_secrets_needs_a_constant_number_of_queries(tenant, queries):
    console = Console(tenant)

    for number_of_new in (1, 20):
        for _ in range(number_of_new):
            made_secret(tenant)
        with queries(5):  # session, user, second factor, picked tenant, the secrets
            assert console.get(LIST).status_code == 200
