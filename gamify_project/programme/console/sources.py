"""The forms of the page: where a programme comes from."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.conf import settings
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from gamify_project.programme.files import read_programme, read_stored_programme
from gamify_project.programme.items import Programme
from gamify_project.programme.services import previous_programme, programme_of
from participants.admin.fields import ChoiceField, SwitchField
from participants.models import Tenant

PRUNES = "Also archive what the source does not contain"


class SourceForm(forms.Form):
    """Where a programme comes from. The fields come back hidden with the preview."""

    source: str
    prunes = SwitchField(label=PRUNES)

    def programme(self, tenant: Tenant) -> Programme:
        """Return the programme to import into `tenant`. Raises: DomainError."""
        raise NotImplementedError

    def hidden(self) -> dict[str, str]:
        """Return the values that make the same programme again."""
        return {"source": self.source, **({"prunes": "on"} if self.cleaned_data["prunes"] else {})}


class FileForm(SourceForm):
    source = "file"
    file = forms.FileField(required=False, widget=UnfoldAdminFileFieldWidget, help_text="YAML, at most 1 MiB.")
    text = forms.CharField(
        label="Or its text",
        required=False,
        strip=False,
        widget=UnfoldAdminTextareaWidget({"rows": 8, "spellcheck": "false"}),
    )
    field_order = ("file", "text", "prunes")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if not self.errors and bool(cleaned["file"]) == bool(cleaned["text"]):
            raise forms.ValidationError("Give a file or its text.")
        if not self.errors:
            cleaned["data"] = (
                cleaned["file"].read(settings.MAX_BODY_BYTES + 1) if cleaned["file"] else _sent(cleaned["text"])
            )
        return cleaned

    def programme(self, tenant: Tenant) -> Programme:
        return read_programme(self.cleaned_data["data"])

    def hidden(self) -> dict[str, str]:
        return {**super().hidden(), "text": self.cleaned_data["data"].decode("utf-8-sig")}


def _sent(text: str) -> bytes:
    """Return the text of a form field as it was before the browser sent it with CRLF."""
    return text.replace("\r\n", "\n").encode()


class CopyForm(SourceForm):
    source = "tenant"
    origin = ChoiceField(
        choices=[],
        label="Copy from",
        help_text="The definitions of this tenant are compared with those of the tenant that you see.",
    )
    field_order = ("origin", "prunes")

    def __init__(self, *args: Any, tenants: Sequence[Tenant], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.tenants = {str(tenant.pk): tenant for tenant in tenants}
        choices = [(key, f"{tenant.name}, {tenant.environment}") for key, tenant in self.tenants.items()]
        self.fields["origin"].choices = choices  # type: ignore[attr-defined]  # a ChoiceField

    def programme(self, tenant: Tenant) -> Programme:
        return programme_of(self.tenants[self.cleaned_data["origin"]])

    def hidden(self) -> dict[str, str]:
        return {**super().hidden(), "origin": self.cleaned_data["origin"]}


class PreviousForm(SourceForm):
    source = "previous"

    def programme(self, tenant: Tenant) -> Programme:
        return read_stored_programme(previous_programme(tenant).text)

    def clean_prunes(self) -> bool:
        return True  # what was added since must go out of use
