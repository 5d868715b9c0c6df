"""One-time links with which the owner of a console account sets a new password.

A superuser creates a link and gives it to the owner. No mail server is needed, and only the owner learns the password.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import structlog
from django.contrib import admin, messages
from django.contrib.auth.forms import SetPasswordForm
from django.contrib.auth.models import User
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import PasswordResetConfirmView
from django.http import HttpRequest, HttpResponse
from django.urls import reverse, reverse_lazy
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_encode
from unfold.widgets import UnfoldAdminPasswordWidget

from participants.admin.pages import Done, ObjectPage
from participants.models import Capability

if TYPE_CHECKING:  # generic for the type checker only
    DjangoSetPasswordForm = SetPasswordForm[User]
else:
    DjangoSetPasswordForm = SetPasswordForm

# No auth.Permission has this name, so `has_perm` is true for superusers only.
SUPERUSERS_ONLY = "gamify_project.superusers_only"

logger = structlog.get_logger(__name__)


def reset_path(user: User) -> str:
    """Return the path of a new link for `user`."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return reverse("reset_password", args=[uid, default_token_generator.make_token(user)])


def _make_link(request: HttpRequest, user: User, data: Mapping[str, Any]) -> Done:
    message = (
        f"Give this link only to {user}. It works once, within 24 hours. A login or a new password invalidates it."
    )
    return Done(message, "Created a link to set a new password.", secret=request.build_absolute_uri(reset_path(user)))


MAKE_LINK = ObjectPage(
    name="reset_link",
    title="Password reset link",
    explanation="Creates a link with which the owner of this account sets a new password. It works once, within 24 hours. "
    "The current password works until then.",
    button="Create the link",
    permission=SUPERUSERS_ONLY,
    capability=Capability.OPERATE,
    perform=_make_link,
    icon="lock_reset",
    is_offered=lambda user: user.is_active,
)


class NewPasswordForm(DjangoSetPasswordForm):
    """Django's form in the style of the console."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"})


class ResetPasswordView(PasswordResetConfirmView):
    """The page behind the link. Afterwards the owner logs in with the new password."""

    template_name = "admin/gamify_project/reset_password.html"
    form_class = NewPasswordForm
    success_url = reverse_lazy("admin:login")
    title = "Set a new password"

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**admin.site.each_context(self.request), **super().get_context_data(**kwargs)}

    def form_valid(self, form: Any) -> HttpResponse:
        logger.info("password_reset_by_link", user_id=form.user.pk)
        messages.success(self.request, f"The password of {form.user} is set. Log in with it.")
        return super().form_valid(form)
