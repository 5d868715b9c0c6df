"""Console pages of rows with a secret that is shown once, in the answer to the POST that created it."""

from typing import Any

from django.http import HttpRequest, HttpResponse

from participants.admin.base import TenantDataAdmin
from participants.admin.pages import secret_page

MEMO = "new_secret"


class ShownOnceAdmin(TenantDataAdmin):
    """Base of pages that show a secret once. Rows are created and revoked, but never changed. `save_model` must call `show_once`."""

    noun = "secret"

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return self.fields if obj else ("display_tenant",)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False  # the page that revokes checks the permission itself

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        context["show_save_and_continue"] = False  # the next page shows the secret
        return super().render_change_form(request, context, *args, **kwargs)

    def show_once(self, request: HttpRequest, secret: str) -> None:
        vars(request)[MEMO] = secret

    def response_add(self, request: HttpRequest, obj: Any, post_url_continue: str | None = None) -> HttpResponse:
        """Django's hook for the answer after creation: the page with the secret (`secret_page`)."""
        about = {"title": f"New {self.opts.verbose_name}", "noun": self.noun, "about": self.secret_note(obj)}
        return secret_page(request, obj, vars(request).pop(MEMO), self.admin_site.each_context(request), **about)

    def secret_note(self, row: Any) -> str:
        """Return the sentence under the secret."""
        return ""
