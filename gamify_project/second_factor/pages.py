"""Console pages of the user's own account: second factor, recovery codes, sessions."""

from typing import Any, cast

import segno
from django import forms
from django.contrib import admin, messages
from django.contrib.admin import AdminSite
from django.contrib.auth import logout
from django.contrib.auth.models import User
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString, mark_safe
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST
from django_otp import login as otp_login
from unfold.widgets import UnfoldAdminTextInputWidget

from gamify_project.models import SecondFactor
from gamify_project.second_factor import gate, services
from gamify_project.second_factor.gate import Obstacle
from gamify_project.second_factor.login import CODE_ATTRIBUTES, MAX_CODE, CodeForm, check_code, problem_of
from gamify_project.sessions import end_sessions, sessions_of
from participants.admin import audit

WRONG_NEW_CODE = "This code is wrong. Check the time of your phone, and enter the code that the app shows now."
COPY_BUTTON = {"type": "button", "data-copy": ""}
WITHOUT_SIDEBAR = "unfold/layouts/unauthenticated.html"


class ReplaceForm(CodeForm):
    """The code of the new app, and one of the present second factor, so that an open session is not enough to replace it."""

    code = forms.CharField(
        max_length=MAX_CODE, label="Code of the new app", widget=UnfoldAdminTextInputWidget(attrs=CODE_ATTRIBUTES)
    )
    present = forms.CharField(
        max_length=MAX_CODE,
        label="Code of the present app, or a recovery code",
        widget=UnfoldAdminTextInputWidget(attrs={**CODE_ATTRIBUTES, "autofocus": True}),
    )
    field_order = ("present", "code")


def account(request: HttpRequest) -> HttpResponse:
    """The page “Your account”."""
    user = _user(request)
    factor = services.confirmed_factor(user)
    context = {
        **admin.site.each_context(request),
        "title": "Your account",
        "content_title": "Your account",
        "factor": factor,
        "codes_left": services.recovery_codes_left(factor) if factor else 0,
        "sessions": sessions_of(user.pk),
    }
    return TemplateResponse(request, "admin/gamify_project/account.html", context)


@sensitive_post_parameters()
@csrf_protect
@never_cache
def set_up(request: HttpRequest) -> HttpResponse:
    """Set up or replace the second factor. Users who must set it up before anything else reach only this page."""
    if not AdminSite.has_permission(admin.site, request) or gate.obstacle(request) is Obstacle.NOT_SHOWN:
        return redirect_to_login(request.get_full_path(), reverse("admin:login"))
    user = _user(request)
    present = services.confirmed_factor(user)
    form = (ReplaceForm if present else CodeForm)(request.POST or None)
    if request.method == "POST" and form.is_valid():
        done = _replace(request, user, form) if present else _confirm(request, user, form)
        if done is not None:
            return done
    return _set_up_page(request, user, form, is_replacement=present is not None)


@sensitive_post_parameters()
def recovery_codes(request: HttpRequest) -> HttpResponse:
    """Create new recovery codes, for a code of the app or an old recovery code."""
    user = _user(request)
    if services.confirmed_factor(user) is None:
        return HttpResponseRedirect(reverse("admin:set_up_second_factor"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        checked = check_code(request, user, form.cleaned_data["code"])
        if isinstance(checked, HttpResponse):
            return checked
        if checked.factor is not None:
            codes = services.replace_recovery_codes(checked.factor)
            audit.record(request, user, audit.CHANGE, "Created new recovery codes.")
            return _codes_page(request, codes, title="New recovery codes")
        form.add_error("code", problem_of(checked))
    context = {**admin.site.each_context(request), "title": "New recovery codes", "form": form}
    return TemplateResponse(request, "admin/gamify_project/recovery_codes.html", context)


@require_POST
def log_out_everywhere(request: HttpRequest) -> HttpResponse:
    """End all sessions of the user, this one too."""
    user = _user(request)
    audit.record(request, user, audit.CHANGE, "Logged out everywhere.")
    logout(request)
    end_sessions(user.pk)
    messages.success(request, "You are logged out everywhere.")
    return HttpResponseRedirect(reverse("admin:login"))


# --- setting up -----------------------------------------------------------------------------------------------------


def _replace(request: HttpRequest, user: User, form: CodeForm) -> HttpResponse | None:
    """Check the new code first, because the check of the present one uses it up."""
    if not services.is_code_of_pending(user, form.cleaned_data["code"], now=timezone.now()):
        form.add_error("code", WRONG_NEW_CODE)
        return None
    checked = check_code(request, user, form.cleaned_data["present"])
    if isinstance(checked, HttpResponse):
        return checked
    if checked.factor is None:
        form.add_error("present", problem_of(checked))
        return None
    return _confirm(request, user, form)


def _confirm(request: HttpRequest, user: User, form: CodeForm) -> HttpResponse | None:
    """Confirm the pending second factor and show the recovery codes. Other sessions of the user end."""
    codes = services.confirm(user, form.cleaned_data["code"], now=timezone.now())
    factor = services.confirmed_factor(user)
    if codes is None or factor is None:
        form.add_error("code", WRONG_NEW_CODE)
        return None
    request.session.cycle_key()
    otp_login(request, factor)
    gate.forget(request)
    end_sessions(user.pk, except_key=request.session.session_key)
    audit.record(request, user, audit.CHANGE, "Set up a second factor.")
    return _codes_page(request, codes, title="Your recovery codes")


def _set_up_page(request: HttpRequest, user: User, form: CodeForm, *, is_replacement: bool) -> HttpResponse:
    pending = services.pending_factor(user, now=timezone.now())
    is_forced = gate.obstacle(request) is not None
    context = {
        **admin.site.each_context(request),
        "title": "Use another app" if is_replacement else "Set up a second factor",
        "base": WITHOUT_SIDEBAR if is_forced else "admin/base_site.html",
        "form": form,
        "is_forced": is_forced,
        "is_replacement": is_replacement,
        "qr_code": _qr_code(request, pending),
        "key": _in_groups(services.key_of(pending)),
    }
    return TemplateResponse(request, "admin/gamify_project/set_up_second_factor.html", context)


def _codes_page(request: HttpRequest, codes: list[str], *, title: str) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": title, "codes": codes, "copy_button": COPY_BUTTON}
    return TemplateResponse(request, "admin/gamify_project/show_recovery_codes.html", context)


def _qr_code(request: HttpRequest, factor: SecondFactor) -> SafeString:
    """Return the QR code of `factor` as SVG, drawn here, so that the key is sent to no other service."""
    uri = services.enrolment_uri(factor, issuer=f"Gamify {request.get_host()}".replace(":", " "))
    drawing = segno.make(uri, error="m").svg_inline(scale=4, border=4, dark="#000", light="#fff", omitsize=True)
    return mark_safe(drawing)  # noqa: S308 - segno writes paths and numbers only


def _in_groups(key: str) -> str:
    return " ".join(key[start : start + 4] for start in range(0, len(key), 4))


def _user(request: Any) -> User:
    return cast("User", request.user)
