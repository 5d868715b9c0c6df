import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from participants.models import ApiKey, HmacSecret, Tenant
from participants.secrets import decrypt
from participants.services.keys import digest_of

NOW = datetime(2026, 2, 14, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def run(*args):
    out = StringIO()
    call_command(*args, "--json", stdout=out)
    return json.loads(out.getvalue())


def test_create_tenant_creates_live_and_sandbox_and_prints_one_object():
    printed = run("create_tenant", "acme", "--name", "Acme", "--timezone", "Europe/Berlin")

    live = Tenant.objects.live().get()
    assert (printed["id"], printed["slug"]) == (str(live.pk), "acme")
    assert printed["sandbox_id"] == str(live.sandbox.pk)
    assert (live.name, live.timezone, live.sandbox.timezone) == ("Acme", "Europe/Berlin", "Europe/Berlin")


UUID_LIKE = "01a20030-16b8-773b-a1f2-79a6f16a65ee"


@pytest.mark.parametrize(
    "slug", ["", "Acme", "-acme", "a b", "a" * 65, "user", "users", "definitions", "äcme", UUID_LIKE]
)
def test_create_tenant_refuses_a_bad_slug(slug):
    with pytest.raises(CommandError):
        run("create_tenant", slug, "--name", "x")

    assert not Tenant.objects.exists()


def test_create_tenant_refuses_a_taken_slug_and_an_unknown_zone():
    run("create_tenant", "acme")

    with pytest.raises(CommandError, match="already exists"):
        run("create_tenant", "acme")
    with pytest.raises(CommandError, match="'Mars/Base' is not an IANA time zone"):
        run("create_tenant", "mars", "--timezone", "Mars/Base")


def test_set_tenant_status_changes_live_and_sandbox(tenant):
    assert run("set_tenant_status", "acme", "--disable")["is_active"] is False
    assert set(Tenant.objects.values_list("is_active", flat=True)) == {False}

    assert run("set_tenant_status", "acme", "--enable")["is_active"] is True
    assert set(Tenant.objects.values_list("is_active", flat=True)) == {True}


def test_set_tenant_status_refuses_an_unknown_tenant():
    with pytest.raises(CommandError, match=r"^Tenant not found: nobody$"):
        run("set_tenant_status", "nobody", "--enable")


@pytest.mark.parametrize(("flags", "prefix"), [([], "bq_live_"), (["--sandbox"], "bq_test_")])
def test_create_api_key_prints_the_key_once_and_stores_its_digest_only(tenant, flags, prefix):
    printed = run("create_api_key", "--tenant", "acme", "--name", "shop", *flags)

    row = ApiKey.objects.get()
    assert printed["key"].startswith(prefix)
    assert len(printed["key"]) >= len(prefix) + 32
    assert (printed["id"], printed["prefix"], printed["tenant_id"]) == (str(row.pk), row.prefix, str(row.tenant_id))
    assert row.tenant.is_sandbox is bool(flags)
    assert row.digest == digest_of(printed["key"])
    assert printed["key"] not in str(vars(row))


def test_create_api_key_takes_scopes_and_an_expiry(tenant):
    with time_machine.travel(NOW, tick=False):
        printed = run(
            "create_api_key", "--tenant", "acme", "--scope", "admin", "--scope", "platform", "--expires-in-days", "7"
        )

    assert printed["scopes"] == ["admin", "platform"]
    assert ApiKey.objects.get().expires_at == NOW + timedelta(days=7)


@pytest.mark.parametrize("at", ["2030-01-01T00:00:00Z", "2030-01-01T00:00:00", "2030-01-01T01:00:00+01:00"])
def test_an_expiry_without_an_offset_is_utc(tenant, at):
    run("create_api_key", "--tenant", "acme", "--expires-at", at)

    assert ApiKey.objects.get().expires_at == datetime(2030, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize("at", ["yesterday", "2020-01-01T00:00:00Z", "2030-13-01T00:00:00Z"])
def test_an_expiry_that_is_no_time_or_past_is_refused(tenant, at):
    with pytest.raises(CommandError, match="expires_at"):
        run("create_api_key", "--tenant", "acme", "--expires-at", at)

    assert not ApiKey.objects.exists()


@pytest.mark.parametrize("named_by", ["prefix", "id"])
def test_revoke_api_key_takes_a_prefix_or_an_id(tenant, named_by):
    created = run("create_api_key", "--tenant", "acme")
    active = run("create_api_key", "--tenant", "acme")

    assert run("revoke_api_key", created[named_by])["id"] == created["id"]

    assert list(ApiKey.objects.filter(revoked_at=None).values_list("prefix", flat=True)) == [active["prefix"]]


def test_revoking_an_unknown_or_revoked_key_is_refused(tenant):
    created = run("create_api_key", "--tenant", "acme")
    run("revoke_api_key", created["id"])

    for name in (created["id"], created["prefix"], "bq_live_nothing"):
        with pytest.raises(CommandError, match="API key not found"):
            run("revoke_api_key", name)


def test_a_prefix_that_two_keys_share_is_not_guessed(tenant):
    created = [run("create_api_key", "--tenant", "acme") for _ in range(2)]
    ApiKey.objects.update(prefix="bq_live_twins")

    with pytest.raises(CommandError, match="use the id"):
        run("revoke_api_key", "bq_live_twins")

    assert run("revoke_api_key", created[0]["id"])["id"] == created[0]["id"]


@pytest.mark.parametrize("flags", [[], ["--sandbox"]])
def test_create_hmac_secret_prints_the_secret_once_and_stores_it_encrypted(tenant, flags):
    printed = run("create_hmac_secret", "--tenant", "acme", "--name", "Northwind", *flags)

    row = HmacSecret.objects.get()
    assert set(printed) == {"id", "secret", "tenant_id", "environment", "name"}
    assert printed["secret"].startswith("phx_")
    assert len(printed["secret"]) >= len("phx_") + 32
    assert (printed["id"], printed["tenant_id"], printed["name"]) == (str(row.pk), str(row.tenant_id), "Northwind")
    assert printed["environment"] == row.tenant.environment == ("sandbox" if flags else "live")
    assert printed["secret"] not in str(vars(row))
    assert decrypt(row.ciphertext, of="the test") == printed["secret"]


def test_a_secret_for_an_unknown_tenant_is_refused():
    with pytest.raises(CommandError, match=r"^Tenant not found: nobody$"):
        run("create_hmac_secret", "--tenant", "nobody")

    assert not HmacSecret.objects.exists()


def test_revoke_hmac_secret_revokes_the_one_of_that_id(tenant):
    created, active = (run("create_hmac_secret", "--tenant", "acme") for _ in range(2))

    revoked = run("revoke_hmac_secret", created["id"])

    assert (revoked["id"], revoked["tenant_id"]) == (created["id"], created["tenant_id"])
    assert revoked["revoked_at"]
    assert [str(row.pk) for row in HmacSecret.objects.active()] == [active["id"]]


def test_revoking_an_unknown_or_revoked_secret_is_refused(tenant):
    created = run("create_hmac_secret", "--tenant", "acme")
    run("revoke_hmac_secret", created["id"])

    for name in (created["id"], "not-an-id", "01a20030-16b8-773b-a1f2-79a6f16a65ee"):
        with pytest.raises(CommandError, match=f"^HMAC secret not found: {name}$"):
            run("revoke_hmac_secret", name)


def test_without_json_a_command_prints_readable_lines(tenant):
    out = StringIO()

    call_command("set_tenant_status", "acme", "--enable", stdout=out)

    assert out.getvalue().splitlines()[1].split() == ["slug", "acme"]
