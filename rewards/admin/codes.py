"""Adds codes to the stock of a reward, after a preview."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from participants.admin.pages import Done, ObjectPage, PageForm, Review
from participants.models import Capability
from rewards import services
from rewards.definitions import MAX_CODES
from rewards.engine.code_lines import BadLine, CodeLines, parse_code_lines, text_from_codes
from rewards.models import Reward
from rewards.selectors import existing_codes

MAX_BYTES = 1024 * 1024
SHOWN = 10
TOO_LONG = f"Is larger than {MAX_BYTES:,} bytes. Use the command import_codes for larger files."


class CodesForm(PageForm):
    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV or text in UTF-8, one code per line. A first line “code” is a header.",
    )
    codes = forms.CharField(
        label="Or a list",
        required=False,
        strip=False,  # stripping would remove blank lines at the start, and line numbers in messages would be wrong
        widget=UnfoldAdminTextareaWidget({"rows": 8}),
        help_text=f"One per line, at most {MAX_CODES:,}.",
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        if bool(cleaned["file"]) == bool(cleaned["codes"]):
            raise forms.ValidationError("Give a file or a list.")
        cleaned["lines"] = self._lines(cleaned)
        return cleaned

    def _lines(self, cleaned: Mapping[str, Any]) -> CodeLines:
        field = "file" if cleaned["file"] else "codes"
        text = cleaned["file"].read(MAX_BYTES + 1) if cleaned["file"] else cleaned["codes"].encode()
        lines = parse_code_lines(text) if len(text) <= MAX_BYTES else CodeLines((), ())
        if problem := _problem(text, lines):
            self.add_error(field, problem)
        return lines


def _problem(text: bytes, lines: CodeLines) -> list[str]:
    if len(text) > MAX_BYTES:
        return [TOO_LONG]
    if len(lines.codes) > MAX_CODES:
        about = f"Contains {len(lines.codes):,} codes; at most {MAX_CODES:,} are allowed."
        return [f"{about} Use the command import_codes for larger files."]
    return [] if lines.codes else ["Contains no code.", *map(_line_problem, lines.bad[:SHOWN])]


def _review(request: HttpRequest, reward: Reward, form: forms.Form) -> Review:
    lines: CodeLines = form.cleaned_data["lines"]
    return Review(list(_summary(lines, existing_codes(reward, lines.codes))), {"codes": text_from_codes(lines.codes)})


def _summary(lines: CodeLines, existing: set[str]) -> Iterator[str]:
    new = set(lines.codes) - existing
    yield f"New codes: {len(new):,}."
    if duplicates := sorted(set(lines.codes) & existing):
        yield f"Already in stock or handed out, ignored: {len(duplicates):,} ({_first(duplicates)})."
    if repeated := len(lines.codes) - len(new) - len(duplicates):
        yield f"Repeated in the list, added once: {repeated:,}."
    if lines.bad:
        yield f"Invalid lines, ignored: {len(lines.bad):,}."
        yield from map(_line_problem, lines.bad[:SHOWN])


def _first(codes: list[str]) -> str:
    return ", ".join(codes[:SHOWN]) + (", …" if len(codes) > SHOWN else "")


def _line_problem(line: BadLine) -> str:
    return f"Line {line.number}: {line.problem}"


def _add_codes(request: HttpRequest, reward: Reward, data: Mapping[str, Any]) -> Done:
    codes = data["lines"].codes
    added = services.add_codes(tenant=reward.tenant, reward_id=str(reward.pk), codes=codes, now=timezone.now())
    ignored = f" Ignored {len(added.duplicates):,} duplicates." if added.duplicates else ""
    return Done(f"Added {added.added:,} codes.{ignored}", f"Added {added.added} codes." if added.added else "")


ADD_CODES = ObjectPage(
    name="add_codes",
    title="Add codes",
    explanation="Each code is handed out once. Duplicates are ignored. Once a reward has codes, it is only handed out with a code, "
    "unless codes are made on demand.",
    button="Add codes",
    permission="rewards.change_reward",
    capability=Capability.PUBLISH,
    capability_for=lambda reward: Capability.PUBLISH if reward.is_active else Capability.DRAFT,
    perform=_add_codes,
    form_class=CodesForm,
    icon="confirmation_number",
    review=_review,
    review_button="Preview",
)
