"""Links on console pages. A link is shown only if the reader may open its target."""

from typing import Any

from django.db.models import Model
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString


def may_open(reader: Any, model: type[Model]) -> bool:
    """Whether the user `reader` may open the console pages of `model`."""
    meta = model._meta
    return any(reader.has_perm(f"{meta.app_label}.{action}_{meta.model_name}") for action in ("view", "change"))


def link_to(row: Model, reader: Any) -> SafeString | str:
    """Return the name of `row`, as a link if `reader` may open its page."""
    return link(str(row), type(row), row.pk, reader)


def link(text: str, model: type[Model], pk: Any, reader: Any) -> SafeString | str:
    if not may_open(reader, model):
        return text
    url = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_change", args=[pk])
    return format_html('<a href="{}" class="console-link">{}</a>', url, text)
