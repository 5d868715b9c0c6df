"""Rewards are defined; a code of their own is made where none is given, since clients know them by id."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils.text import slugify

from participants.ids import new_id
from participants.models import Tenant
from participants.services.definitions import create_definition
from rewards.models import Reward

NOUN = "reward"
MAX_NAMED = 36  # characters of the name in a code that is made


def create_reward(*, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Reward:
    """Raises CodeConflict where a code was given that is taken."""
    code = data.get("code") or _made_code(data["name"])
    return create_definition(Reward, noun=NOUN, tenant=tenant, data={**data, "code": code}, now=now)


def _made_code(name: str) -> str:
    """Of the name, and unique."""
    return f"{slugify(name)[:MAX_NAMED] or NOUN}-{new_id().hex[-12:]}"
