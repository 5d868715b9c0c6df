"""What a superuser does about the account of a colleague: reset the second factor, end the sessions."""

from collections.abc import Mapping
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest

from gamify_project.reset_links import SUPERUSERS_ONLY
from gamify_project.second_factor import services
from gamify_project.sessions import end_sessions, sessions_of
from participants.admin.pages import Done, ObjectPage
from participants.models import Capability


def _reset_second_factor(request: HttpRequest, user: User, data: Mapping[str, Any]) -> Done:
    services.reset(user)
    end_sessions(user.pk)
    return Done(
        f"{user} logs in with the password only, until there is a new second factor.", "Reset the second factor."
    )


def _end_sessions(request: HttpRequest, user: User, data: Mapping[str, Any]) -> Done:
    end_sessions(user.pk)
    return Done(f"{user} is logged out everywhere.", "Ended all sessions.")


def _remove_permissions(request: HttpRequest, user: User, data: Mapping[str, Any]) -> Done:
    user.user_permissions.clear()
    user.groups.clear()
    return Done(f"{user} has only the roles that you see here.", "Removed all permissions and groups.")


REMOVE_PERMISSIONS = ObjectPage(
    name="remove_permissions",
    title="Use roles only",
    explanation="Removes the permissions and groups of this account, which hold in all tenants. Its roles in tenants stay. Give it a "
    "role first.",
    button="Remove permissions and groups",
    permission=SUPERUSERS_ONLY,
    capability=Capability.OPERATE,
    perform=_remove_permissions,
    icon="rule",
    is_dangerous=True,
    is_offered=lambda user: user.user_permissions.exists() or user.groups.exists(),
)
RESET_SECOND_FACTOR = ObjectPage(
    name="reset_second_factor",
    title="Reset second factor",
    explanation="For a colleague who has lost the authenticator app and the recovery codes. Make sure that it is really them. "
    "Until they set up a new second factor, the password alone opens this account. Their sessions end.",
    button="Reset the second factor",
    permission=SUPERUSERS_ONLY,
    capability=Capability.OPERATE,
    perform=_reset_second_factor,
    icon="phonelink_erase",
    is_dangerous=True,
    is_offered=lambda user: services.confirmed_factor(user) is not None,
)
END_SESSIONS = ObjectPage(
    name="end_sessions",
    title="Log out everywhere",
    explanation="Ends all sessions of this account. Its owner can log in again.",
    permission=SUPERUSERS_ONLY,
    capability=Capability.OPERATE,
    perform=_end_sessions,
    icon="logout",
    is_offered=lambda user: sessions_of(user.pk) > 0,
)
