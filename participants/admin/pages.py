"""Object pages: one page for one action on one object. GET shows the form, POST acts. No JavaScript is needed."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from participants.admin import audit
from participants.admin.authorization import may
from participants.admin.fields import ReasonField
from participants.admin.refusals import place
from participants.engine import MAX_KEY
from participants.errors import DomainError
from participants.ids import new_id
from participants.models import Capability

DIALOG_HEADER = "X-Dialog"
"""The script of dialogs sends this header."""


class PageForm(forms.Form):
    """Base of the forms of object pages. `row` is the object. Without fields, the button alone confirms the action."""

    def __init__(self, data: Any = None, *, row: Any) -> None:
        self.row = row
        super().__init__(data)


class AuditedForm(PageForm):
    """Asks for a reason that only the audit trail stores. `perform` does not get it."""

    audit_reason = ReasonField(
        label="Reason",
        help_text="Only the audit trail stores it. Do not name the person, because an erasure does not clear it.",
    )

    def __init__(self, data: Any = None, *, row: Any) -> None:
        super().__init__(data, row=row)
        self.order_fields([name for name in self.fields if name != "audit_reason"])  # it comes last


class OnceForm(PageForm):
    """Has a hidden idempotency key, created when the page is opened, so that a double click acts once."""

    idempotency_key = forms.CharField(
        widget=forms.HiddenInput, required=False, empty_value=None, initial=lambda: f"console-{new_id()}"
    )

    def clean_idempotency_key(self) -> str | None:
        key: str | None = self.cleaned_data["idempotency_key"]
        return key and key[:MAX_KEY]


@dataclass(frozen=True)
class Done:
    """Result of an action.

    `message` is shown to the operator. `audit_message` goes to the audit trail; it is empty if nothing was written, because the
    action had been done before. `next_url` is the next page; empty for the page of the object. A `secret` is shown once, in
    the answer itself, instead of the next page. A `download` is a file, which is the answer.
    """

    message: str
    audit_message: str = ""
    flag: int = audit.CHANGE
    next_url: str = ""
    secret: str = ""
    download: HttpResponse | None = None


@dataclass(frozen=True)
class Link:
    """A button at the top of the page of an object, or an entry of its menu. `attrs` are attributes of its element."""

    title: str
    url: str
    icon: str
    variant: str = "default"
    in_menu: bool = False
    is_dangerous: bool = False
    attrs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Review:
    """A preview of an action: a sentence for each effect, and the form `data` that the confirmation submits."""

    sentences: Sequence[str]
    data: Mapping[str, str]


@dataclass(frozen=True)
class ObjectPage:
    """The declaration of an object page.

    - `name` is the end of its URL and of its route name.
    - `button` is the text of the button that acts. Default: the title.
    - The user needs `permission`, or a role with `capability`. If it depends on the object, `capability_for(object)` returns it.
    - `is_offered(object)` says whether the action makes sense now.
    - `perform(request, object, cleaned_data)` acts. It may raise DomainError, which is shown on the form.
    - `preview(object)` returns sentences about what the action would affect now.
    - `in_menu`: it is offered in the menu *More* and not as a button. `is_dialog`: it opens above the page, if the browser runs scripts.
    - `review(request, object, form)`, if given, is called first, by the button `review_button`. Its preview must be confirmed.
    """

    name: str
    title: str
    explanation: str
    permission: str
    capability: Capability
    perform: Callable[[HttpRequest, Any, Mapping[str, Any]], Done]
    button: str = ""
    form_class: type[PageForm] = PageForm
    icon: str = "edit"
    variant: str = "default"
    is_dangerous: bool = False
    is_offered: Callable[[Any], bool] = lambda row: True
    preview: Callable[[Any], Iterable[str]] = lambda row: ()
    has_button: bool = True
    review: Callable[[HttpRequest, Any, forms.Form], "Review"] | None = None
    review_button: str = ""
    capability_for: Callable[[Any], Capability] | None = None

    def needed_for(self, row: Any) -> Capability:
        return self.capability if self.capability_for is None else self.capability_for(row)

    def is_allowed(self, request: HttpRequest, row: Any) -> bool:
        return may(request.user, self.permission, self.needed_for(row))

    in_menu: bool = False
    is_dialog: bool = False

    def is_open(self, request: HttpRequest, row: Any) -> bool:
        return self.is_allowed(request, row) and self.is_offered(row)

    def url(self, row: Any) -> str:
        return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_{self.name}", args=[row.pk])

    def link(self, row: Any) -> Link:
        attrs = {"data-dialog": ""} if self.is_dialog else {}
        return Link(self.title, self.url(row), self.icon, self.variant, self.in_menu, self.is_dangerous, attrs)


def answer(page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any]) -> HttpResponse:
    """Handle GET and POST of an object page: return the page, or a redirect after the action.

    Raises: PermissionDenied.
    """
    if not page.is_allowed(request, row):
        raise PermissionDenied
    if not page.is_offered(row):  # another user was faster, or a double click
        messages.info(request, f"{page.title}: there is nothing left to do.")
        return _go_to(request, _page_of(row))
    show = partial(_page, page, request, row, context)
    form = page.form_class(request.POST if request.method == "POST" else None, row=row)
    form.files = request.FILES
    form.initial = {**form.initial, **request.GET.dict()}  # a link may fill in the form
    if request.method != "POST" or "edit" in request.POST or not form.is_valid():
        return show(form=form)
    if page.review is not None and "confirmed" not in request.POST:
        review = page.review(request, row, form)
        return show(form=page.form_class(review.data, row=row), preview=review.sentences, is_reviewed=True)
    done = _perform(page, request, row, form)
    return show(form=form) if done is None else _done_response(done, page, request, row, context)


def _done_response(
    done: Done, page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any]
) -> HttpResponse:
    """Redirect to the next page, show the secret, or send the file."""
    if done.download:
        return done.download
    if done.secret:
        return secret_page(request, row, done.secret, context, title=page.title, about=done.message)
    messages.success(request, done.message)
    return _go_to(request, done.next_url or _page_of(row))


def _go_to(request: HttpRequest, url: str) -> HttpResponse:
    """Redirect. The script of dialogs gets the URL as JSON, because it could not see where a redirect leads."""
    return JsonResponse({"next": url}) if DIALOG_HEADER in request.headers else HttpResponseRedirect(url)


def _page(page: ObjectPage, request: HttpRequest, row: Any, context: Mapping[str, Any], **shown: Any) -> HttpResponse:
    about = {"page": page, "original": row, "opts": row._meta, "title": page.title, "back": _page_of(row)}
    shown = {"preview": list(page.preview(row)), "cancel": {"data-cancel": ""}, **shown}
    return TemplateResponse(request, "admin/participants/object_page.html", {**context, **about, **shown})


def secret_page(
    request: HttpRequest, row: Any, secret: str, context: Mapping[str, Any], *, title: str, **shown: Any
) -> HttpResponse:
    """Return the page that shows a secret. It is no redirect, because then the secret would have to be stored meanwhile."""
    shown = {"noun": "secret", "copy_button": {"type": "button", "data-copy": ""}, **shown}
    known = {"title": title, "row": row, "opts": row._meta, "secret": secret}
    return TemplateResponse(request, "admin/participants/new_secret.html", {**context, **known, **shown})


def _perform(page: ObjectPage, request: HttpRequest, row: Any, form: forms.Form) -> Done | None:
    """Act and add the audit row in one transaction. Return None if a service refused; the form then shows the error."""
    try:
        with transaction.atomic():
            done = page.perform(request, row, _data(form))
            if done.audit_message:
                audit.record(request, row, done.flag, f"{done.audit_message}{_reason(form)}")
            return done
    except DomainError as refusal:
        place(form, refusal)
        return None


def _data(form: forms.Form) -> Mapping[str, Any]:
    return {name: value for name, value in form.cleaned_data.items() if name != "audit_reason"}


def _reason(form: forms.Form) -> str:
    reason = form.cleaned_data.get("audit_reason")
    return f" Reason: {reason}" if reason else ""


def _page_of(row: Any) -> str:
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])
