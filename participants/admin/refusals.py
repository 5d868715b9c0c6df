"""Shows the DomainErrors of services on forms."""

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.http import HttpRequest, HttpResponse

from participants.errors import DomainError

if TYPE_CHECKING:  # generic for the type checker only
    ModelForm = forms.ModelForm[Any]
else:
    ModelForm = forms.ModelForm

MEMO = "console_refusal"
FIELD_OF_CODE = {
    "tenant_slug_conflict": "slug",
    "insufficient_points": "amount",
    "balance_limit": "amount",
    "daily_limit_reached": "delta",
    "tier_not_found": "tier_code",
    "badge_not_found": "badge_code",
    "nothing_to_restore": "streak_code",
}
CODE_CONFLICT = "_code_conflict"
_QUOTED = re.compile(r"`(\w+)`")
IN_OTHER_WORDS = {
    "IDEMPOTENCY_KEY_REUSED": "This form was submitted before with other values. Open the page again to do something else."
}


def place(form: forms.BaseForm, refusal: DomainError) -> None:
    """Put each error of `refusal` on its field, or on top of the form where it has none."""
    if not refusal.errors:
        field = "code" if refusal.code.endswith(CODE_CONFLICT) else FIELD_OF_CODE.get(refusal.code, "")
        message = IN_OTHER_WORDS.get(refusal.code, refusal.message)
        form.add_error(field if field in form.fields else None, message)
    for error in refusal.errors:
        head = error.field.partition(".")[0]
        field = _names(form).get(head, head)
        form.add_error(
            field if field in form.fields else None, _QUOTED.sub(lambda found: _label_of(form, found), error.message)
        )


def _names(form: forms.BaseForm) -> Mapping[str, str]:
    """Return the form's names of fields that have another name in the service."""
    names: Mapping[str, str] = getattr(form, "refused_names", {})
    return names


def _label_of(form: forms.BaseForm, found: re.Match[str]) -> str:
    """Replace the API name of a field in a message by the label of the form field."""
    field = form.fields.get(_names(form).get(found[1], found[1]))
    return f"“{field.label}”" if field else found[0]


class ConsoleForm(ModelForm):
    """A form with its request. It shows the error that a service raised when the form was saved."""

    request: ClassVar[HttpRequest]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if refusal := vars(self.request).get(MEMO):
            place(self, refusal)
        return cleaned


def show_refusal_on_form(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """Call `view`. If a service raises DomainError, call it again, which renders the form with the errors.

    Django saves a form after validation, in its own transaction, and an error there would be a crash. The transaction of the
    first call is rolled back.
    """
    try:
        return view()
    except DomainError as refusal:
        vars(request)[MEMO] = refusal
        return view()
