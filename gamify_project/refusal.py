"""What the page for 403 says: which role the page needs, and who can give it."""

from typing import Any

from django.contrib.admin.utils import unquote
from django.http import HttpRequest

from participants.admin.authorization import role_in
from participants.admin.picker import picked_tenant
from participants.models import Capability, Membership, Tenant
from participants.models.roles import roles_with

SHOWN_OWNERS = 5
ACTIONS = {"add": "add", "delete": "delete", "change": "change"}
"""The ends of the names of Django's routes, with the action of the page. All other pages of a model show something."""


def explanation(request: HttpRequest) -> str:
    """Return sentences about the page that was refused. Empty if it declares nothing."""
    needed = capability_needed(request)
    tenant = picked_tenant(request)
    if needed is None or tenant is None:
        return ""
    if needed is Capability.OPERATE:
        return "It concerns the whole installation, so only superusers may open it."
    names = " or ".join(role.name for role in roles_with(needed))
    return (
        f"It is for people who may {needed}. In {tenant} this needs the role {names}. {_own_role(request.user, tenant)}"
    )


def _own_role(user: Any, tenant: Tenant) -> str:
    role = role_in(user, tenant)
    yours = f"Your role there is {role.name}." if role else "You have no role there."
    owners = Membership.objects.filter(
        tenant__in=[tenant.pk, tenant.live_id], role="owner", user__is_active=True
    ).values_list("user__username", flat=True)
    names = list(owners.distinct()[:SHOWN_OWNERS])
    return f"{yours} {' or '.join(names) or 'A superuser'} can give it to you."


def capability_needed(request: HttpRequest) -> Capability | None:
    """Return what the page of the request needs; None if its route declares nothing."""
    match = request.resolver_match
    if match is None:
        return None
    row = _row(request, match.func, match.kwargs.get("object_id"))
    return declared_by(match.func, str(match.url_name), method=request.method or "", row=row)


def declared_by(view: Any, url_name: str, *, method: str, row: Any) -> Capability | None:
    """Return the capability that a page of the console declares; None if it declares nothing. `row` is None for pages about no row."""
    if need := getattr(view, "need", None):
        return need.of(method)[1]  # type: ignore[no-any-return]
    model_admin = getattr(view, "model_admin", None)
    if page := getattr(view, "object_page", None):
        return page.capability if row is None else page.needed_for(row)  # type: ignore[no-any-return]
    return model_admin.capability_to(_action(url_name, method), row) if model_admin else None


def _row(request: HttpRequest, view: Any, object_id: str | None) -> Any:
    model_admin = getattr(view, "model_admin", None)
    return None if object_id is None or model_admin is None else model_admin.get_object(request, unquote(object_id))


def _action(url_name: str, method: str) -> str:
    end = url_name.rpartition("_")[2]
    if end == "change" and method != "POST":
        return "view"
    return ACTIONS.get(end, "view")
