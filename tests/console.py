"""The console as a member of staff sees it: logged in, a tenant chosen."""

from collections.abc import Iterable
from html import unescape
from html.parser import HTMLParser
from typing import Any

from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.models import ContentType
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from participants.models import Tenant
from participants.services.memberships import give_role

NO_ROLES = {"memberships-TOTAL_FORMS": "0", "memberships-INITIAL_FORMS": "0"}
"""What the form of an account sends about its roles if it has none."""


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

    def edit(self, page: str, *args: Any, **changes: Any) -> Any:
        """Open the form of the page, change some fields, send it as a browser would; None unticks a box."""
        data = sent_by(self.get(page, *args, edit="1")) | changes
        return self.post(page, *args, **{name: value for name, value in data.items() if value is not None})


class _Form(HTMLParser):
    """What the form of an object's page sends when it is submitted unchanged."""

    def __init__(self) -> None:
        super().__init__()
        self.data: dict[str, list[str]] = {}
        self._select = self._textarea = ""

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        given = dict(attributes)
        name = given.get("name", "")
        if tag == "select":
            self._select = name
        elif tag == "textarea":
            self._textarea = name
            self._add(name, "")
        elif tag == "option" and self._select and "selected" in given:
            self._add(self._select, given["value"])
        elif tag == "input" and name and (given.get("type") != "checkbox" or "checked" in given):
            self._add(name, given.get("value", "on" if given.get("type") == "checkbox" else ""))

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._textarea = ""

    def handle_data(self, text: str) -> None:
        if self._textarea:  # the first line break after the tag is not part of the text
            self.data[self._textarea][-1] += text.removeprefix("\n").removeprefix("\r\n").replace("\n", "\r\n")

    def _add(self, name: str, value: str) -> None:
        self.data.setdefault(name, []).append(value)


def sent_by(answer: Any) -> dict[str, list[str]]:
    html = answer.content.decode()
    return fields_of(html[html.index(f'id="{answer.context["opts"].model_name}_form"') :])


def fields_of(html: str) -> dict[str, list[str]]:
    """What the first form that ends in `html` sends."""
    form = _Form()
    form.feed(html.partition("</form>")[0])
    return {name: values for name, values in form.data.items() if not name.startswith(("csrf", "_"))}


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


def member(role: str, tenant: Tenant, *, name: str = "") -> Console:
    """The console of one who has a role in a tenant, and nothing else. The tenant is chosen."""
    return Console(tenant, user=user_with_role(role, tenant, name=name))


def user_with_role(role: str, tenant: Tenant, *, name: str = "") -> User:
    user = User.objects.create_user(name or role, is_staff=True)
    give_role(tenant=tenant, user=user, role=role, now=timezone.now())
    return user
