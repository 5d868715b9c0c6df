"""Codes of rewards: put into stock after a look at them, listed, and shown one by one."""

from collections.abc import Iterator, Mapping
from typing import Any

from django import forms
from django.http import HttpRequest
from django.utils import timezone
from unfold.widgets import UnfoldAdminFileFieldWidget, UnfoldAdminTextareaWidget

from participants.admin.pages import Done, ObjectPage, PageForm, Review
from rewards import services
from rewards.definitions import MAX_CODES
from rewards.engine import BadLine, CodeLines, parse_code_lines, text_from_codes
from rewards.models import Reward
from rewards.selectors import existing_codes

MAX_BYTES = 1024 * 1024
SHOWN = 10
TOO_LONG = f"Is larger than {MAX_BYTES:,} bytes; import_codes takes files of any size."


class CodesForm(PageForm):
    file = forms.FileField(
        required=False,
        widget=UnfoldAdminFileFieldWidget,
        help_text="CSV or text in UTF-8, a code on each line; a first line “code” is a header.",
    )
    codes = forms.CharField(
        label="Or a list",
        required=False,
        strip=False,  # or blank lines at the start would vanish, and every number of a line would be wrong
        widget=UnfoldAdminTextareaWidget({"rows": 8}),
        help_text=f"One on each line, {MAX_CODES:,} at most.",
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
        return [f"Says {len(lines.codes):,} codes; {MAX_CODES:,} at most. import_codes takes files of any size."]
    return [] if lines.codes else ["Says no code.", *map(_about, lines.bad[:SHOWN])]


def _review(reward: Reward, form: forms.Form) -> Review:
    lines: CodeLines = form.cleaned_data["lines"]
    return Review(list(_told(lines, existing_codes(reward, lines.codes))), {"codes": text_from_codes(lines.codes)})


def _told(lines: CodeLines, known: set[str]) -> Iterator[str]:
    new = set(lines.codes) - known
    yield f"New: {len(new):,}."
    if there := sorted(set(lines.codes) & known):
        yield f"There already, and left out: {len(there):,} ({_first(there)})."
    if twice := len(lines.codes) - len(new) - len(there):
        yield f"Twice in the list, and taken once: {twice:,}."
    if lines.bad:
        yield f"Lines that are no code, and left out: {len(lines.bad):,}."
        yield from map(_about, lines.bad[:SHOWN])


def _first(codes: list[str]) -> str:
    return ", ".join(codes[:SHOWN]) + (", …" if len(codes) > SHOWN else "")


def _about(line: BadLine) -> str:
    return f"Line {line.number}: {line.problem}"


def _add_codes(request: HttpRequest, reward: Reward, data: Mapping[str, Any]) -> Done:
    codes = data["lines"].codes
    added = services.add_codes(tenant=reward.tenant, reward_id=str(reward.pk), codes=codes, now=timezone.now())
    left_out = f" {len(added.duplicates):,} were there already, or twice in the list." if added.duplicates else ""
    return Done(f"Added {added.added:,} codes.{left_out}", f"Added {added.added} codes." if added.added else "")


ADD_CODES = ObjectPage(
    name="add_codes",
    title="Add codes",
    explanation="Each is handed out once. Those that are there already are left out. From the first code on nothing is handed out "
    "without, unless codes are made on demand.",
    button="Add them",
    permission="rewards.change_reward",
    perform=_add_codes,
    form_class=CodesForm,
    icon="confirmation_number",
    review=_review,
    review_button="Look at them",
)
