"""One write on one object, on a page of its own: GET asks, POST does. No script, no write on GET."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse

from participants.admin import audit
from participants.admin.refusals import place
from participants.engine import MAX_KEY
from participants.errors import DomainError
from participants.ids import new_id


def _new_key() -> str:
    return f"console-{new_id()}"


class PageForm(forms.Form):
    """The form of a page about `row`."""

    def __init__(self, data: Any = None, *, row: Any) -> None:
        self.row = row
        super().__init__(data)


class Confirmation(PageForm):
    """Nothing to fill in: the button is the answer."""


class OnceForm(PageForm):
    """Carries an idempotency key, made when the page is opened: pressed twice, it is done once."""

    idempotency_key = forms.CharField(widget=forms.HiddenInput, required=False, empty_value=None, initial=_new_key)

    def clean_idempotency_key(self) -> str | None:
        key: str | None = self.cleaned_data["idempotency_key"]
        return key and key[:MAX_KEY]


@dataclass(frozen=True)
class Done:
    """What happened: told to the operator, written to the audit trail, and the page that comes next ("": the object's).

    `audited` is empty where nothing was written, since it had been done before. A `secret` is shown in the very answer, once,
    instead of the page that comes next.
    """

    message: str
    audit_message: str = ""
    flag: int = audit.CHANGE
    next_url: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Link:
    """A button in the head of an object's page."""

    title: str
    url: str
    icon: str
    variant: str = "default"


def _nothing_to_tell(row: Any) -> Iterable[str]:
    return ()


@dataclass(frozen=True)
class Review:
    """What would happen, a sentence on each line, and the form's `data` with which it is to be confirmed."""

    sentences: Sequence[str]
    data: Mapping[str, str]


@dataclass(frozen=True)
class ObjectPage:
    """`perform(request, object, cleaned)` does it; it may raise DomainError, which is shown on the form.

    `name` ends the address and the name of the route. `permission` is asked of the user, `is_offered` of the object;
    `preview(object)` says what it would touch now, a sentence on each line. Where there is a `review(object, form)`, what is filled in
    is only looked at first, behind the button `review_button`: it answers the sentences and the data that confirm them.
    """

    name: str
    title: str
    explanation: str
    button: str
    permission: str
    perform: Callable[[HttpRequest, Any, Mapping[str, Any]], Done]
    form_class: type[PageForm] = Confirmation
    icon: str = "edit"
    variant: str = "default"
    is_dangerous: bool = False
    is_offered: Callable[[Any], bool] = lambda row: True
    preview: Callable[[Any], Iterable[str]] = _nothing_to_tell
    has_button: bool = True
    review: Callable[[Any, forms.Form], "Review"] | None = None
    review_button: str = ""

    def is_open(self, request: HttpRequest, row: Any) -> bool:
        return request.user.has_perm(self.permission) and self.is_offered(row)

    def url(self, row: Any) -> str:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{self.name}", args=[row.pk])

    def link(self, row: Any) -> Link:
        return Link(self.title, self.url(row), self.icon, self.variant)


def answer(page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any]) -> HttpResponse:
    """The page for `row`, or where to go once it is done. Raises PermissionDenied."""
    if not request.user.has_perm(page.permission):
        raise PermissionDenied
    if not page.is_offered(row):  # someone was faster, or pressed twice
        messages.info(request, f"{page.title}: there is nothing left to do.")
        return HttpResponseRedirect(_page_of(row))
    form = page.form_class(request.POST if request.method == "POST" else None, row=row)
    form.files = request.FILES
    if request.method != "POST" or "edit" in request.POST or not form.is_valid():
        return _page(page, request, row, context, form=form)
    if page.review is not None and "confirmed" not in request.POST:
        return _looked_at(page.review(row, form), page, request, row, context)
    done = _perform(page, request, row, form)
    return (
        _page(page, request, row, context, form=form) if done is None else _gone_on(done, page, request, row, context)
    )


def _gone_on(done: Done, page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any]) -> HttpResponse:
    """Where it goes on, or the secret that was made."""
    if done.secret:
        return secret_page(request, row, done.secret, context, title=page.title, about=done.message)
    messages.success(request, done.message)
    return HttpResponseRedirect(done.next_url or _page_of(row))


def _looked_at(
    review: Review, page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any]
) -> HttpResponse:
    form = page.form_class(review.data, row=row)
    return _page(page, request, row, context, form=form, preview=review.sentences, is_reviewed=True)


def _page(page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any], **shown: Any) -> HttpResponse:
    about = {"page": page, "original": row, "opts": row._meta, "title": page.title, "back": _page_of(row)}
    preview = {"preview": list(page.preview(row))}
    return TemplateResponse(request, "console/object_page.html", {**context, **about, **preview, **shown})


def secret_page(
    request: HttpRequest, row: Any, secret: str, context: Mapping[str, Any], *, title: str, **shown: Any
) -> HttpResponse:
    """The secret goes out in this very answer: a redirect would have to keep it somewhere meanwhile."""
    shown = {"noun": "secret", "copy_button": {"type": "button", "data-copy": ""}, **shown}
    known = {"title": title, "row": row, "opts": row._meta, "secret": secret}
    return TemplateResponse(request, "console/new_secret.html", {**context, **known, **shown})


def _perform(page: ObjectPage, request: HttpRequest, row: Any, form: forms.Form) -> Done | None:
    """Write and audit in one transaction; None where the service refused, which the form then shows."""
    try:
        with transaction.atomic():
            done = page.perform(request, row, form.cleaned_data)
            if done.audit_message:
                audit.record(request, row, done.flag, done.audit_message)
            return done
    except DomainError as refusal:
        place(form, refusal)
        return None


def _page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
