"""What `serve` prepares at a first start and prints at every one: a tenant, its keys, a login, calls to paste."""

import json
import os
import secrets
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth import get_user_model
from django.utils import timezone

from participants.models import Tenant
from participants.models.keys import Scope
from participants.selectors import key_by_digest, tenant_by_slug
from participants.services.keys import create_api_key, digest_of
from participants.services.tenants import create_tenant

TENANT = "demo"
LOGIN = "admin"
KEYS: dict[str, tuple[bool, Sequence[str]]] = {
    "participant": (False, ()),
    "admin": (False, (Scope.ADMIN,)),
    "sandbox": (True, ()),
}

BANNER = """
Gamify is running.

  console      {base}{console}   login {login}, password {password}
  API docs     {base}/api/docs

  participant key  {participant}
  admin key        {admin}
  sandbox key      {sandbox}

Try it:

  curl -X POST {base}/api/v1/gamify/points/award \\
    -H "X-API-Key: {participant}" \\
    -H "Content-Type: application/json" \\
    -d '{{"participant_id": "user_123", "amount": 250, "reason": "Completed onboarding"}}'

  curl -X POST {base}/api/v1/gamify/points/deduct \\
    -H "X-API-Key: {participant}" \\
    -H "Content-Type: application/json" \\
    -d '{{"participant_id": "user_123", "amount": 50, "reason": "Reward redemption"}}'

  curl {base}/api/v1/gamify/participants/user_123/state \\
    -H "X-API-Key: {participant}"

  curl "{base}/api/v1/gamify/admin/participants?sort_by=total_points&sort_order=desc" \\
    -H "X-API-Key: {admin}"

Data is kept in {var}. Ctrl-C stops everything.
"""


def prepare(*, host: str, port: int) -> str:
    """Make what a newcomer needs, once, and answer the text that tells about it.

    The keys and the password are kept readable under `var/` (mode 0600), so that every start can print them: they open
    a demo tenant on this machine. A production install makes its own with the commands.
    """
    now = timezone.now()
    kept = _read(settings.VAR_DIR / "welcome.json")
    tenant = tenant_by_slug(TENANT) or create_tenant(slug=TENANT, name="Demo", now=now)
    made = {name: _standing_key(kept.get(name), tenant, name, now=now) for name in KEYS}
    made["password"] = _working_password(kept.get("password"))
    if made != kept:
        _write(settings.VAR_DIR / "welcome.json", made)
    shown_host = f"[{host}]" if ":" in host else host
    base = f"http://{shown_host}:{port}"
    return BANNER.format(base=base, console=settings.CONSOLE_PREFIX, login=LOGIN, var=settings.VAR_DIR, **made)


def _standing_key(kept: str | None, tenant: Tenant, name: str, *, now: datetime) -> str:
    """The key of the last start where it still opens this tenant, else a new one."""
    is_sandbox, scopes = KEYS[name]
    owner = tenant.sandbox if is_sandbox else tenant
    row = key_by_digest(digest_of(kept)) if kept else None
    if kept and row and row.is_standing(now) and row.tenant_id == owner.pk:
        return kept
    return create_api_key(tenant=owner, scopes=scopes, name=f"make run: {name}", now=now).key


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
