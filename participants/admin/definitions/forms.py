"""The base of the forms of definitions."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.forms.utils import pretty_name
from rest_framework.serializers import Serializer

from participants.admin.base import TenantDataForm
from participants.admin.fields import ColorWidget, IntegerField, LineField, SwitchField, TextField, without_empty
from participants.errors import FieldError, field_errors

ORDER = "Lists are sorted by this number, then by code."
COLOR = "A code such as #0891B2, or a name. Leave empty for none."
PICTURE = "An http or https URL."


def color_field() -> LineField:
    return LineField(label="Color", widget=ColorWidget, help_text=COLOR)


def picture_field() -> LineField:
    return LineField(label="Icon", help_text=PICTURE)


class DefinitionForm(TenantDataForm):
    """Turns its fields into the body that an API client would send, and shows the errors of that body on its fields.

    A change sends only the fields that differ from what the page showed (hidden initial values). So it does not undo changes
    that were made to other fields meanwhile.
    """

    create_body: ClassVar[type[Serializer[Any]]]
    update_body: ClassVar[type[Serializer[Any]]]
    form_names: ClassVar[Mapping[str, str]] = {}  # dotted path in the body → form field, if the names differ
    only_new: tuple[str, ...] = ("code",)
    only_edited: ClassVar[tuple[str, ...]] = ()  # fields that are hidden from staff who may only view
    unset_words: ClassVar[Mapping[str, str]] = {}  # what an empty field means, for staff who may only view
    is_draft_only: ClassVar[bool] = False  # the user may not publish

    code = LineField(required=True, help_text="The code that your application uses. It cannot be changed later.")
    name = LineField(required=True, help_text="Display name.")
    description = TextField()
    is_active = SwitchField(label="Active", initial=True)
    display_order = IntegerField(initial=0, help_text=ORDER)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self.fields.items():
            field.label = field.label or pretty_name(name)  # the audit trail uses labels
            has_own = getattr(field, "submits_shown_value", False)
            field.show_hidden_initial = not self.instance._state.adding and not has_own
        if self.is_draft_only:
            self.keep_as_draft()

    def keep_as_draft(self) -> None:
        """Take away the choice to put the definition into use. Django ignores what is sent for a disabled field."""
        field = self.fields["is_active"]
        field.disabled, field.initial = True, False
        field.help_text = "Somebody who may publish activates it."

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        """Return the body with the values of the form fields `names`."""
        return {name: self.cleaned_data[name] for name in names}

    def _post_clean(self) -> None:
        """Django's hook for validation by the model. Here the API's body validates."""
        self.judged = self._bound_body()
        if self.judged.is_valid():
            return
        self._place(field_errors(self.judged.errors))

    def _bound_body(self) -> Serializer[Any]:
        filled_in = [name for name in self.cleaned_data if name != "opened_for"]
        if self.instance._state.adding:
            return self.create_body(data=without_empty(self.body(filled_in)))
        changed = [name for name in filled_in if name in self.changed_data]
        return self.update_body(instance=self.instance, data=self.body(changed), partial=True)

    def valid_part(self) -> Mapping[str, Any]:
        """Return the validated data of the body, without the fields that are refused. The form must have been cleaned."""
        if self.judged.is_valid():
            return self.judged.validated_data  # type: ignore[no-any-return]
        known = self.update_body().fields.keys() - self.judged.errors.keys()
        data = {name: value for name, value in self.judged.initial_data.items() if name in known}
        stored = None if self.instance._state.adding else self.instance
        rest = self.update_body(instance=stored, data=data, partial=True)
        return rest.validated_data if rest.is_valid() else {}

    def _place(self, errors: Iterable[FieldError]) -> None:
        refused = set(self.errors)  # refused by the form itself, so not part of the body
        for field, message in map(self._field_of, errors):
            if field not in refused:
                self.add_error(field, message)

    def _field_of(self, error: FieldError) -> tuple[str | None, str]:
        head, _, tail = error.field.partition(".")
        field = self.form_names.get(error.field) or self.form_names.get(head, head)
        message = f"No. {int(tail) + 1}: {error.message}" if tail.isdecimal() else error.message
        return (field if field in self.fields else None), message
