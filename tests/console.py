"""The console as a member of staff sees it: logged in, a tenant chosen."""

from collections.abc import Iterable
from html import unescape
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse

from participants.models import Tenant


class Console:
    """Requests by the name of the page: `console.get("participants_participant_change", participant.pk)`."""

    def __init__(self, tenant: Tenant | None = None, *, user: User | None = None) -> None:
        self.user = user or User.objects.create_superuser("ops")
        self.client = Client()
        self.client.force_login(self.user)
        ContentType.objects.get_for_models(*apps.get_models())  # kept by the process: no part of a query count
        if tenant is not None:
            self.pick(tenant)

    def pick(self, tenant: Tenant) -> None:
        answer = self.post("pick_tenant", tenant=str(tenant.pk))
        assert answer.status_code == 302

    def get(self, page: str, *args: Any, **query: Any) -> Any:
        return self.client.get(reverse(f"admin:{page}", args=args), query)

    def post(self, page: str, *args: Any, **data: Any) -> Any:
        return self.client.post(reverse(f"admin:{page}", args=args), data)


def staff(*permissions: str) -> User:
    """One who may log in, and do nothing but what `permissions` ("app.codename") allow."""
    user = User.objects.create_user("clerk", is_staff=True)
    for permission in permissions:
        app, codename = permission.split(".")
        user.user_permissions.add(Permission.objects.get(content_type__app_label=app, codename=codename))
    return user


def text_of(answer: Any) -> str:
    return unescape(answer.content.decode())


def errors_of(answer: Any) -> dict[str, list[str]]:
    """What the form of the page says is wrong, by field."""
    context = answer.context
    form = context["adminform"].form if "adminform" in context else context["form"]
    return {field: list(messages) for field, messages in form.errors.items()}


def trail() -> list[tuple[str, int, str]]:
    """(object, flag, message) of every audit row, oldest first."""
    rows: Iterable[LogEntry] = LogEntry.objects.order_by("id")
    return [(row.object_repr, row.action_flag, row.get_change_message()) for row in rows]
