"""After a new passphrase was put first, stored secrets are encrypted with it, and the old one can be removed."""

import json
from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.utils import timezone

from gamify.webhooks.models import Endpoint
from gamify.webhooks.services import create_endpoint, rotate_secret
from gamify.webhooks.services.secrets import secrets_of
from gamify_project.management.commands.reencrypt_secrets import COLUMNS
from participants.models import HmacSecret
from participants.secrets import decrypt, encrypt
from participants.services import reencrypting
from participants.services.hmac import create_hmac_secret

pytestmark = pytest.mark.django_db


def run(*flags):
    out = StringIO()
    call_command("reencrypt_secrets", "--json", *flags, stdout=out)
    return json.loads(out.getvalue())


@pytest.fixture
def texts(tenant, settings):
    """A partner's secret, and the current and former secret of a webhook, encrypted with the passphrase `old`."""
    settings.ENCRYPTION_KEYS = ["old"]
    partner = create_hmac_secret(tenant=tenant, name="Northwind", now=timezone.now())
    hook = create_endpoint(
        tenant=tenant, data={"url": "https://shop.example/", "event_types": ["*"]}, now=timezone.now()
    )
    other = rotate_secret(hook.endpoint, now=timezone.now())
    settings.ENCRYPTION_KEYS = ["new", "old"]
    return partner.text, (other.secret, hook.secret)


def read():
    endpoint = Endpoint.objects.get()
    return decrypt(HmacSecret.objects.get().ciphertext, of="the test"), secrets_of(endpoint, now=timezone.now())


def test_secrets_stay_readable_after_the_old_passphrase_is_removed(texts, settings):
    assert run() == {"secrets": 3, "reencrypted": 3, "unreadable": 0, "dry_run": False}

    settings.ENCRYPTION_KEYS = ["new"]
    assert read() == texts


def test_again_it_does_nothing(texts):
    run()
    before = HmacSecret.objects.get().ciphertext

    assert run() == {"secrets": 3, "reencrypted": 0, "unreadable": 0, "dry_run": False}
    assert HmacSecret.objects.get().ciphertext == before


def test_a_dry_run_changes_nothing(texts, settings):
    assert run("--dry-run") == {"secrets": 3, "reencrypted": 3, "unreadable": 0, "dry_run": True}

    settings.ENCRYPTION_KEYS = ["old"]
    assert read() == texts


def test_secrets_that_no_passphrase_decrypts_are_left_and_counted(texts, settings, capsys):
    settings.ENCRYPTION_KEYS = ["lost"]
    HmacSecret.objects.update(ciphertext=encrypt("closed for good"))
    settings.ENCRYPTION_KEYS = ["new", "old"]
    closed = HmacSecret.objects.get().ciphertext

    with pytest.raises(SystemExit) as ended:
        call_command("reencrypt_secrets", "--json")

    assert ended.value.code == 1
    assert json.loads(capsys.readouterr().out) == {
        "secrets": 3,
        "reencrypted": 2,
        "unreadable": 1,
        "dry_run": False,
    }
    assert HmacSecret.objects.get().ciphertext == closed


def test_a_secret_that_is_changed_meanwhile_is_not_overwritten(texts, monkeypatch):
    newer = encrypt("given meanwhile")

    def encrypted(text):
        HmacSecret.objects.update(ciphertext=newer)
        return encrypt(text)

    monkeypatch.setattr(reencrypting, "encrypt", encrypted)
    run()

    assert HmacSecret.objects.get().ciphertext == newer


def test_no_ciphertext_is_forgotten():
    stored = {
        (model, field.name)
        for model in apps.get_models()
        for field in model._meta.concrete_fields
        if "ciphertext" in field.name
    }

    assert stored == set(COLUMNS)
