"""What a list without rows says: a sentence, and a link to the page where its rows come from."""

from dataclasses import dataclass
from typing import Any

from django.urls import reverse


@dataclass(frozen=True)
class WhenEmpty:
    """`page` is the name of a list or of an add page, such as `badges_badge_add`. Readers who may not open it get no link."""

    sentence: str
    label: str
    page: str

    def url(self, reader: Any) -> str | None:
        app_label, model_name, page = self.page.rsplit("_", 2)
        action = "add" if page == "add" else "view"
        return reverse(f"admin:{self.page}") if reader.has_perm(f"{app_label}.{action}_{model_name}") else None
