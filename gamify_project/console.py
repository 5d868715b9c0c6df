"""The admin site of the console. Every page shows the picked tenant at the top."""

from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse

if TYPE_CHECKING:  # unfold has no types; its site is a subclass of Django's
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


class ConsoleSite(AdminSite):
    index_title = "Overview"
    index_template = "admin/gamify_project/index.html"

    def extra_urls(self) -> list[URLPattern]:
        from participants.admin.picker import pick_tenant  # noqa: PLC0415 - registers pages on this site, so the site must exist first

        return [path("tenant/", self.admin_view(pick_tenant), name="pick_tenant")]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from participants.admin.picker import picked_tenant  # noqa: PLC0415 - imports models, so the site must exist first

        context = super().each_context(request)
        if self.has_permission(request):
            context["picked_tenant"] = picked_tenant(request)
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from participants.admin.notices import notices_for  # noqa: PLC0415 - imports models, so the site must exist first
        from participants.admin.picker import picked_tenant  # noqa: PLC0415 - imports models, so the site must exist first

        tenant = picked_tenant(request)
        found = notices_for(tenant) if tenant else []
        return super().index(request, {**(extra_context or {}), "notices": found})

    def logout(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Log out on POST. A GET is redirected to the overview, instead of an empty answer."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:index"))
        return super().logout(request, extra_context)


def locked_out(request: HttpRequest, original: HttpResponse, credentials: Any) -> HttpResponse:
    """Return the page that django-axes shows instead of the login form after too many wrong passwords."""
    wait = getattr(request, "login_wait", 0)
    context = {**admin.site.each_context(request), "title": "Wait a moment" if wait else "Locked for now", "wait": wait}
    seconds = wait or int(settings.AXES_COOLOFF_TIME.total_seconds())
    headers = {"Retry-After": str(seconds)}
    return TemplateResponse(request, "admin/gamify_project/locked.html", context, status=429, headers=headers).render()
