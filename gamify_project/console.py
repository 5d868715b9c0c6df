"""The admin site of the console. Every page shows the picked tenant at the top."""

from functools import wraps
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from gamify_project.second_factor import gate
from gamify_project.second_factor.gate import Obstacle

if TYPE_CHECKING:  # unfold has no types; its site is a subclass of Django's
    from django.contrib.admin import AdminSite
else:
    from unfold.sites import UnfoldAdminSite as AdminSite


class ConsoleSite(AdminSite):
    index_title = "Overview"
    index_template = "admin/gamify_project/index.html"

    def extra_urls(self) -> list[URLPattern]:
        from gamify_project.exports import console as exports  # noqa: PLC0415 - imports pages of this site, so the site must exist first
        from gamify_project.periodic import console as periodic  # noqa: PLC0415 - the same reason
        from gamify_project.programme import console as programme  # noqa: PLC0415 - imports pages of this site, so the site must exist first
        from gamify_project.second_factor import pages  # noqa: PLC0415 - the same reason
        from gamify_project.second_factor.login import code_step  # noqa: PLC0415 - the same reason
        from gamify_project.undo import console as undo  # noqa: PLC0415 - the same reason
        from participants.admin.activity import activity  # noqa: PLC0415 - imports models, so the site must exist first
        from participants.admin.picker import pick_tenant  # noqa: PLC0415 - registers pages on this site, so the site must exist first

        own = {
            "account": pages.account,
            "recovery_codes": pages.recovery_codes,
            "log_out_everywhere": pages.log_out_everywhere,
        }
        return [
            path("tenant/", self.admin_view(pick_tenant), name="pick_tenant"),
            path("activity/", self.admin_view(activity), name="activity"),
            path("login/code/", code_step, name="login_code"),
            path("second_factor/", pages.set_up, name="set_up_second_factor"),
            *programme.urls(),
            *exports.urls(),
            *undo.urls(),
            *periodic.urls(),
            *(path(f"{name}/", self.admin_view(view), name=name) for name, view in own.items()),
        ]

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the user is an active member of the staff, and has shown the second factor if there must be one."""
        return super().has_permission(request) and gate.obstacle(request) is None

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """Django's wrapper around every page. Users who must set up a second factor are sent to its page, or can log out."""
        guarded = super().admin_view(view, cacheable)

        @wraps(guarded)
        def opened(request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
            is_staff = super(ConsoleSite, self).has_permission(request)
            if not is_staff or gate.obstacle(request) is not Obstacle.NOT_SET_UP:
                return guarded(request, *args, **kwargs)
            if request.path == reverse("admin:logout"):
                return view(request)
            return HttpResponseRedirect(reverse("admin:set_up_second_factor"))

        return opened

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Django's login page, but the password is only the first step for users with a second factor."""
        from gamify_project.second_factor.login import PasswordStep  # noqa: PLC0415 - imports pages of this site, so the site must exist first

        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(reverse("admin:index"))
        context = {**self.each_context(request), "title": "Log in", "app_path": request.get_full_path()}
        options = {"authentication_form": self.login_form, "template_name": "admin/login.html"}
        return PasswordStep.as_view(extra_context={**context, **(extra_context or {})}, **options)(request)

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        from participants.admin.picker import picked_tenant  # noqa: PLC0415 - imports models, so the site must exist first

        context = super().each_context(request)
        if self.has_permission(request):
            context["picked_tenant"] = picked_tenant(request)
        return context

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        from gamify_project.overview.page import overview  # noqa: PLC0415 - the same reason
        from participants.admin.notices import notices_for  # noqa: PLC0415 - imports models, so the site must exist first
        from participants.admin.picker import picked_tenant  # noqa: PLC0415 - imports models, so the site must exist first
        from participants.work import reading  # noqa: PLC0415 - the same reason

        tenant, context = picked_tenant(request), dict(extra_context or {})
        if tenant is not None:
            with reading(tenant):
                page = overview(tenant, request.user, now=timezone.now())
                context |= {**page, "notices": notices_for(tenant)}
        return super().index(request, context)

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
