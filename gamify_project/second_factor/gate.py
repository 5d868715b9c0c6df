"""Who must set up a second factor before the console opens, and who must show it first."""

from enum import Enum
from typing import Any

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef
from django.http import HttpRequest

from gamify_project.models import SecondFactor
from participants.models import Tenant

MEMO = "second_factor_obstacle"


class Obstacle(Enum):
    NOT_SET_UP = "not set up"
    NOT_SHOWN = "not shown in this session"


def obstacle(request: HttpRequest) -> Obstacle | None:
    """Return what is missing before the user of `request` may use the console, or None. Read once per request."""
    memo = vars(request)
    if MEMO not in memo:
        memo[MEMO] = _obstacle(request.user)
    found: Obstacle | None = memo[MEMO]
    return found


def forget(request: HttpRequest) -> None:
    """Read again, because the user has set up a second factor during this request."""
    vars(request).pop(MEMO, None)


def _obstacle(user: Any) -> Obstacle | None:
    if user.is_verified():
        return None
    confirmed = SecondFactor.objects.filter(user=OuterRef("pk"), confirmed=True)
    demanding = Tenant.objects.open_to(user).filter(requires_second_factor=True)
    asked = User.objects.annotate(has_factor=Exists(confirmed), is_demanded=Exists(demanding))
    has_factor, is_demanded = asked.values_list("has_factor", "is_demanded").get(pk=user.pk)
    if has_factor:
        return Obstacle.NOT_SHOWN
    return Obstacle.NOT_SET_UP if is_demanded or is_required_by_settings(user) else None


def is_required_by_settings(user: Any) -> bool:
    """Whether SECOND_FACTOR_REQUIRED_FOR includes `user`, who is a member of the staff."""
    required_for: str = settings.SECOND_FACTOR_REQUIRED_FOR
    return required_for == "staff" or (required_for == "superusers" and bool(user.is_superuser))
