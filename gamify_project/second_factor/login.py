"""The login of the console. After the password it asks users with a second factor for a code, and logs them in only then.

django-axes counts wrong codes like wrong passwords. The login clears its counters, so a right password alone does not.
"""

import math
from datetime import timedelta
from typing import Any

from axes.handlers.proxy import AxesProxyHandler
from axes.helpers import get_lockout_response
from django import forms
from django.contrib import admin, messages
from django.contrib.auth import login
from django.contrib.auth.models import User
from django.contrib.auth.signals import user_login_failed
from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import constant_time_compare
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.widgets import UnfoldAdminTextInputWidget

from gamify_project.logins import is_known_address
from gamify_project.second_factor import services
from gamify_project.second_factor.services import Checked
from participants.admin import audit

PENDING = "login_waits_for_code"
PENDING_FOR = timedelta(minutes=10)
MAX_CODE = 40
CODE_ATTRIBUTES = {"autocomplete": "one-time-code", "spellcheck": "false", "autocapitalize": "none"}


class CodeForm(forms.Form):
    """One code: of the authenticator app, or a recovery code."""

    code = forms.CharField(
        max_length=MAX_CODE,
        widget=UnfoldAdminTextInputWidget(attrs={**CODE_ATTRIBUTES, "autofocus": True}),
    )


class PasswordStep(LoginView):
    """The first step: name and password."""

    def form_valid(self, form: Any) -> HttpResponse:
        user, to = form.get_user(), self.get_success_url()
        if services.confirmed_factor(user) is None:
            login(self.request, user)
            return HttpResponseRedirect(to)
        _remember(self.request, user, to)
        return HttpResponseRedirect(reverse("admin:login_code"))


@sensitive_post_parameters("code")
@csrf_protect
@never_cache
def code_step(request: HttpRequest) -> HttpResponse:
    """The second step: a code. It is open for ten minutes after the right password."""
    user = _pending_user(request)
    if user is None:
        return HttpResponseRedirect(reverse("admin:login"))
    form = CodeForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        checked = check_code(request, user, form.cleaned_data["code"])
        if isinstance(checked, HttpResponse):
            return checked
        if checked.factor is not None:
            return _log_in(request, user, checked)
        form.add_error("code", problem_of(checked))
    context = {**admin.site.each_context(request), "title": "Second factor", "form": form}
    return TemplateResponse(request, "admin/gamify_project/login_code.html", context)


def check_code(request: HttpRequest, user: User, code: str) -> Checked | HttpResponse:
    """Check a code of `user`, and count a wrong one as a failed login. Returns the page of a lock, if there is one."""
    credentials = {"username": user.get_username()}
    if not AxesProxyHandler.is_allowed(request, credentials):
        locked: HttpResponse = get_lockout_response(request, HttpResponse(), credentials)
        return locked
    now = timezone.now()
    is_known = is_known_address(user.get_username(), vars(request)["axes_ip_address"], now=now)
    checked = services.check(user, code, now=now, is_known_address=is_known)
    if checked.factor is None and checked.was_checked:
        user_login_failed.send(sender=__name__, credentials=credentials, request=request)
    return checked


def problem_of(checked: Checked) -> str:
    """Return the message for a code that was not accepted."""
    seconds = math.ceil(checked.wait.total_seconds())
    if checked.was_checked:
        return "This code is wrong, or was used before. Wait for the next code of your app, or use a recovery code."
    return f"There were wrong codes before, so this one was not checked. Wait {seconds} s, then enter a new code."


def _log_in(request: HttpRequest, user: User, checked: Checked) -> HttpResponse:
    pending = request.session.pop(PENDING)
    vars(user)["otp_device"] = checked.factor  # django_otp records it in the session when the user has logged in
    login(request, user, backend=pending["backend"])
    if checked.is_recovery and checked.factor is not None:
        left = services.recovery_codes_left(checked.factor)
        audit.record(request, user, audit.CHANGE, f"Logged in with a recovery code. {left} are left.")
        messages.warning(request, f"You logged in with a recovery code. {left} are left: see “Your account”.")
    return HttpResponseRedirect(pending["next"])


# --- between the steps ----------------------------------------------------------------------------------------------


def _remember(request: HttpRequest, user: Any, to: str) -> None:
    """Store in a new session that the password was right. The user is not logged in by this."""
    request.session.flush()
    request.session[PENDING] = {
        "user": user.pk,
        "backend": user.backend,
        "hash": user.get_session_auth_hash(),
        "until": (timezone.now() + PENDING_FOR).timestamp(),
        "next": to,
    }


def _pending_user(request: HttpRequest) -> User | None:
    """Return the user whose password was right. None if that was too long ago, or if the password has changed since."""
    pending = request.session.get(PENDING)
    if pending is None or pending["until"] < timezone.now().timestamp():
        return None
    user = User.objects.filter(pk=pending["user"], is_active=True, is_staff=True).first()
    is_same = user is not None and constant_time_compare(pending["hash"], user.get_session_auth_hash())
    return user if is_same else None
