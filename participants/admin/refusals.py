"""What a service refuses, shown on the form that asked for it."""

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
    "tier_not_found": "tier_code",
    "badge_not_found": "badge_code",
    "nothing_to_restore": "streak_code",
}
CODE_CONFLICT = "_code_conflict"
_QUOTED = re.compile(r"`(\w+)`")
IN_OTHER_WORDS = {
    "IDEMPOTENCY_KEY_REUSED": "This page was sent before, with something else. Open it anew to do another thing."
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
            field if field in form.fields else None, _QUOTED.sub(lambda found: _called(form, found), error.message)
        )


def _names(form: forms.BaseForm) -> Mapping[str, str]:
    """What the form calls fields that the service calls otherwise."""
    names: Mapping[str, str] = getattr(form, "refused_names", {})
    return names


def _called(form: forms.BaseForm, found: re.Match[str]) -> str:
    """A message may name another field, in the words of the API: here it is called as it is labelled."""
    field = form.fields.get(_names(form).get(found[1], found[1]))
    return f"“{field.label}”" if field else found[0]


class ConsoleForm(ModelForm):
    """A form that knows its request, and shows what the service refused when it was saved."""

    request: ClassVar[HttpRequest]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        if refusal := vars(self.request).get(MEMO):
            place(self, refusal)
        return cleaned


def show_refusal_on_form(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """`view`, and once more if a service refuses: the first is rolled back, the second renders the form with the errors.

    Django saves after it has validated, in a transaction of its own; a refusal at that point would be a crash.
    """
    try:
        return view()
    except DomainError as refusal:
        vars(request)[MEMO] = refusal
        return view()
