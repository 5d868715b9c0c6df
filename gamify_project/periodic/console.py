"""The console's page of periodic tasks: when each ran, how it ended, and whether it is late. Staff can start one now."""

from celery import current_app
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone

from gamify_project.models import PeriodicRun
from gamify_project.periodic.status import periodic_tasks
from participants import messages as wake_ups
from participants.admin import audit
from participants.admin.authorization import declares
from participants.models import Capability

VIEW = "gamify_project.view_periodicrun"
RUN = "gamify_project.change_periodicrun"


def urls() -> list[URLPattern]:
    return [path("periodic_tasks/", admin.site.admin_view(page), name="periodic_tasks")]


@declares(VIEW, Capability.OPERATE)
def page(request: HttpRequest) -> HttpResponse:
    """View: GET lists all periodic tasks. POST asks a worker to run `task` now, as beat would."""
    _require(request, VIEW)
    if request.method == "POST":
        _require(request, RUN)
        return _start(request, request.POST.get("task", ""))
    now = timezone.now()
    tasks = [(task, _rows(task.run)) for task in periodic_tasks(now=now)]
    shown = {"title": "Periodic tasks", "content_title": "Periodic tasks", "tasks": tasks, "now": now}
    context = {**admin.site.each_context(request), **shown, "may_run": request.user.has_perm(RUN)}
    return TemplateResponse(request, "admin/gamify_project/periodic_tasks.html", context)


def _start(request: HttpRequest, name: str) -> HttpResponse:
    """Send what beat sends for the task `name`. Raises: Http404 if beat never starts it."""
    if name not in current_app.conf.beat_schedule:
        raise Http404
    if wake_ups.send(name, **current_app.conf.beat_schedule[name]["options"]):
        audit.record(request, PeriodicRun(task=name), audit.CHANGE, "Started.")
        messages.success(request, f"A worker was asked to run {name}. Reload this page to see how it ended.")
    else:
        messages.error(
            request, "The workers cannot be reached at the moment, so nothing was started. Try again in a minute."
        )
    return HttpResponseRedirect(reverse("admin:periodic_tasks"))


def _rows(run: PeriodicRun | None) -> str:
    if run is None or run.finished_at is None:
        return ""
    return "not counted" if run.rows is None else f"{run.rows:,}"


def _require(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied
