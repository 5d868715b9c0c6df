"""First-use data that `serve` creates at every start, and the banner: two tenants, their keys, a login, and the Quick Start."""

import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model

from gamify_project import demo, quickstart
from participants.models import Tenant
from participants.models.keys import Scope
from participants.selectors import key_by_digest, tenant_by_slug
from participants.services.keys import create_api_key, digest_of
from participants.services.tenants import create_tenant

LOGIN = "admin"


@dataclass(frozen=True)
class _Access:
    """The tenant and the scopes of a key."""

    slug: str
    scopes: Sequence[str] = ()
    is_sandbox: bool = False


KEYS: Mapping[str, _Access] = {
    "quickstart": _Access(quickstart.SLUG),
    "quickstart_admin": _Access(quickstart.SLUG, (Scope.ADMIN,)),
    "admin": _Access(demo.SLUG, (Scope.ADMIN,)),
    "sandbox": _Access(demo.SLUG, is_sandbox=True),
}

IN_PRODUCTION = """
Gamify is running.

  console      {base}{console}
  API docs     {base}/api/docs
"""
BANNER = """
Gamify is running.

  console      {base}{console}   login {login}, password {password}
  API docs     {base}/api/docs

  tenant demo: ninety days of two hundred people
    admin key    {admin}
    sandbox key  {sandbox}
{calls}
Here webhooks may use http and addresses of this machine, for trying them out; in production only https to public addresses.
Data is stored in {var}. Ctrl-C stops everything.
"""
# The four calls are copied from the specification.
QUICK_START = """
  tenant quickstart: reset at each start, so that these four calls answer as the Quick Start prints them
    key          {quickstart}
    admin key    {quickstart_admin}

curl -X POST {base}/api/v1/gamify/points/award \\
  -H "X-API-Key: {quickstart}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "participant_id": "user_123",
    "amount": 250,
    "reason": "Completed onboarding",
    "idempotency_key": "onboarding_user123"
  }}'

curl -X POST {base}/api/v1/gamify/badges/award \\
  -H "X-API-Key: {quickstart}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "participant_id": "user_123",
    "badge_code": "first_steps"
  }}'

curl -X POST {base}/api/v1/gamify/streaks/record \\
  -H "X-API-Key: {quickstart}" \\
  -H "Content-Type: application/json" \\
  -d '{{
    "participant_id": "user_123",
    "streak_code": "daily_login"
  }}'

curl {base}/api/v1/gamify/participants/user_123/state \\
  -H "X-API-Key: {quickstart}"
"""
NO_QUICK_START = """
  the tenant quickstart has another name than "{name}", so it was not reset
"""


def prepare(*, host: str, port: int, now: datetime) -> str:
    """Create the first-use data and return the banner. In production nothing is created.

    Keys and password are stored in plain text under `var/` (mode 0600), so that every start can print them. They only open tenants
    for trying out. For production, create keys with the commands.
    """
    url_host = f"[{host}]" if ":" in host else host
    values = {"base": f"http://{url_host}:{port}", "console": settings.CONSOLE_PREFIX}
    if settings.PRODUCTION:
        return IN_PRODUCTION.format(**values)
    credentials = _first_use(now=now)
    calls = QUICK_START if "quickstart" in credentials else NO_QUICK_START
    values |= {"login": LOGIN, "var": str(settings.VAR_DIR), "name": quickstart.NAME, **credentials}
    return BANNER.format(calls=calls.format(**values), **values)


def _first_use(*, now: datetime) -> dict[str, str]:
    """Return the keys by name, and the password of the console."""
    stored = _read(settings.VAR_DIR / "welcome.json")
    tenants = {
        quickstart.SLUG: quickstart.reset_quickstart(now=now),
        demo.SLUG: tenant_by_slug(demo.SLUG) or create_tenant(slug=demo.SLUG, name="Demo", now=now),
    }
    owners = {name: tenant for name, access in KEYS.items() if (tenant := tenants[access.slug])}
    credentials = {name: _active_key(stored.get(name), owner, name, now=now) for name, owner in owners.items()}
    credentials["password"] = _working_password(stored.get("password"))
    if credentials != stored:
        _write(settings.VAR_DIR / "welcome.json", credentials)
    return credentials


def _active_key(stored: str | None, tenant: Tenant, name: str, *, now: datetime) -> str:
    """Return the stored key if it still opens this tenant, else a new key."""
    access = KEYS[name]
    owner = tenant.sandbox if access.is_sandbox else tenant
    row, _ = key_by_digest(digest_of(stored)) if stored else (None, None)
    if stored and row and row.is_active_at(now) and row.tenant_id == owner.pk:
        return stored
    return create_api_key(tenant=owner, scopes=access.scopes, name=f"make run: {name}", now=now).key


def _working_password(stored: str | None) -> str:
    """Return the stored password if the account exists, else set a new one. A password that the user changed stays."""
    users = get_user_model()._default_manager
    if stored and users.filter(username=LOGIN).exists():
        return stored
    password = secrets.token_urlsafe(12)
    user, _ = users.get_or_create(username=LOGIN, defaults={"is_staff": True, "is_superuser": True})
    user.set_password(password)
    user.save()
    return password


def _read(path: Path) -> dict[str, Any]:
    try:
        content: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return content


def _write(path: Path, content: dict[str, Any]) -> None:
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(content, file, indent=2)
    aside.replace(path)
