"""What stands beside the form of a definition: what the definition says in words, and what to look at before it is saved.

It is rendered with the page. While the form is filled in, the page "Summary" renders it again: it takes the unsaved form and writes
nothing. So one renderer words stored and unsaved definitions. Without JavaScript a button sends the form to that page.
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Model
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.text import slugify

from participants.models import Definition

FRAGMENT_HEADER = "X-Fragment"
"""The script of editors sends this header, because it only needs the parts of the page that change."""


@dataclass(frozen=True)
class Beside:
    """What the page shows beside the form.

    - `sentence`: the definition in words.
    - `problems`: why it cannot be saved yet.
    - `warnings`: what is allowed, but often a mistake.
    - `suggestions`: texts that inputs suggest, by the id of their list.
    - `extra`: a further part of the page that follows the form, such as a calendar.
    """

    sentence: str
    problems: Sequence[str] = ()
    warnings: Sequence[str] = ()
    suggestions: Mapping[str, Sequence[str]] = field(default_factory=dict)
    extra: str = ""


@dataclass(frozen=True)
class Step:
    """A part of the form, with its place on the page. `has_errors`: something in it was refused."""

    title: str
    anchor: str
    has_errors: bool


def steps_of(adminform: Any) -> Sequence[Step]:
    """Return the titled parts of a form. The anchors are set by `gamify_project.unfold_templates`."""
    return [Step(part.name, f"part-{slugify(part.name)}", _has_errors(part)) for part in adminform if part.name]


def _has_errors(part: Any) -> bool:
    names = [name for line in part for name in line.fields if isinstance(name, str)]
    return any(name in part.form.errors for name in names)


def row_of(page: Any, form: Any) -> Any:
    """Return an unsaved copy of the definition with those values of the form that are valid."""
    row = copy(form.instance)
    if form.is_bound:
        form.full_clean()
        fields = page.to_fields(form.valid_part(), tenant=row.tenant)
        for name, value in fields.items():
            setattr(row, name, value)
        row.code = row.code or form.cleaned_data.get("code") or ""
    return row


def beside(page: Any, request: HttpRequest, form: Any, *, lists_problems: bool) -> Beside:
    """Return what stands beside `form`. A page that shows the errors of its fields does not list them again."""
    row = row_of(page, form)
    return Beside(
        sentence=page.in_words(row),
        problems=list(_problems(form)) if lists_problems and form.is_bound else [],
        warnings=list(page.warnings(row)),
        suggestions=page.suggestions(row),
        extra=page.follows_form(request, row),
    )


def _problems(form: Any) -> Iterator[str]:
    for name, messages in form.errors.items():
        label = f"{form.fields[name].label}: " if name in form.fields else ""
        yield from (f"{label}{message}" for message in messages)


def summary_url(row: Definition | None, model: type[Model]) -> str:
    """Return the address of the page that words the unsaved form of `row`; None for a new definition."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    return reverse(f"{name}_new_summary") if row is None else reverse(f"{name}_summary", args=[row.pk])


def summary_page(page: Any, request: HttpRequest, row: Any) -> HttpResponse:
    """Answer with the summary of the submitted form, or of what is stored. `row` is None for a new definition."""
    may_edit = page.has_add_permission(request) if row is None else page.has_change_permission(request, row)
    form_class = page.get_form(request, row, change=row is not None)
    form = form_class(request.POST if request.method == "POST" and may_edit else None, instance=row)
    shown = {
        "beside": beside(page, request, form, lists_problems=True),
        "title": "Summary",
        "original": row,
        "opts": page.opts,
    }
    if FRAGMENT_HEADER in request.headers:
        return TemplateResponse(request, "admin/participants/live.html", {**shown, "is_fragment": True})
    context = {**page.admin_site.each_context(request), **shown}
    return TemplateResponse(request, "admin/participants/summary.html", context)
