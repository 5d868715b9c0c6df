"""What `serve` prepares at every start and prints: two tenants, their keys, a login, the Quick Start ready to paste."""

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
class _Opens:
    """What a key of ours opens."""

    slug: str
    scopes: Sequence[str] = ()
    is_sandbox: bool = False


KEYS: Mapping[str, _Opens] = {
    "quickstart": _Opens(quickstart.SLUG),
    "quickstart_admin": _Opens(quickstart.SLUG, (Scope.ADMIN,)),
    "admin": _Opens(demo.SLUG, (Scope.ADMIN,)),
    "sandbox": _Opens(demo.SLUG, is_sandbox=True),
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
Here webhooks may be http and go to this machine, so that they can be tried out; in production only https to public addresses.
Data is kept in {var}. Ctrl-C stops everything.
"""
# The four calls are those of the specification, word for word.
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
  tenant quickstart is not called "{name}" and so is left as it is
"""


def prepare(*, host: str, port: int, now: datetime) -> str:
    """Make what a newcomer needs and answer the text that tells about it. In production, where nobody is one, nothing.

    The keys and the password are kept readable under `var/` (mode 0600), so that every start can print them: they open
    tenants for trying out on this machine. A production install makes its own with the commands.
    """
    shown_host = f"[{host}]" if ":" in host else host
    shown = {"base": f"http://{shown_host}:{port}", "console": settings.CONSOLE_PREFIX}
    if settings.PRODUCTION:
        return IN_PRODUCTION.format(**shown)
    made = _first_use(now=now)
    calls = QUICK_START if "quickstart" in made else NO_QUICK_START
    shown |= {"login": LOGIN, "var": str(settings.VAR_DIR), "name": quickstart.NAME, **made}
    return BANNER.format(calls=calls.format(**shown), **shown)


def _first_use(*, now: datetime) -> dict[str, str]:
    """The keys, by name, and the console's password."""
    kept = _read(settings.VAR_DIR / "welcome.json")
    tenants = {
        quickstart.SLUG: quickstart.reset_quickstart(now=now),
        demo.SLUG: tenant_by_slug(demo.SLUG) or create_tenant(slug=demo.SLUG, name="Demo", now=now),
    }
    owners = {name: tenant for name, opens in KEYS.items() if (tenant := tenants[opens.slug])}
    made = {name: _active_key(kept.get(name), owner, name, now=now) for name, owner in owners.items()}
    made["password"] = _working_password(kept.get("password"))
    if made != kept:
        _write(settings.VAR_DIR / "welcome.json", made)
    return made


def _active_key(kept: str | None, tenant: Tenant, name: str, *, now: datetime) -> str:
    """The key of the last start where it still opens this tenant, else a new one."""
    opens = KEYS[name]
    owner = tenant.sandbox if opens.is_sandbox else tenant
    row = key_by_digest(digest_of(kept)) if kept else None
    if kept and row and row.is_active_at(now) and row.tenant_id == owner.pk:
        return kept
    return create_api_key(tenant=owner, scopes=opens.scopes, name=f"make run: {name}", now=now).key


def _working_password(kept: str | None) -> str:
    """The console password of the last start, while the account exists; whoever changed it keeps their own."""
    users = get_user_model()._default_manager
    if kept and users.filter(username=LOGIN).exists():
        return kept
    password = secrets.token_urlsafe(12)
    user, _ = users.get_or_create(username=LOGIN, defaults={"is_staff": True, "is_superuser": True})
    user.set_password(password)
    user.save()
    return password


def _read(path: Path) -> dict[str, Any]:
    try:
        kept: dict[str, Any] = json.loads(path.read_text())
    except (FileNotFoundError, ValueError):
        return {}
    return kept


def _write(path: Path, made: dict[str, Any]) -> None:
    aside = path.with_suffix(".new")
    with os.fdopen(os.open(aside, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600), "w") as file:
        json.dump(made, file, indent=2)
    aside.replace(path)
