"""All routes. Each domain declares its own routes in its `urls.py`."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from django.views.generic import RedirectView

from gamify_project import errors, metrics, probes
from gamify_project.errors import handler400, handler403, handler404, handler500  # noqa: F401 - Django looks for them here
from gamify_project.openapi.docs import DocsView, SchemaView
from gamify_project.reset_links import ResetPasswordView

gamify: list[URLPattern | URLResolver] = [
    path("", include("gamify.badges.api.urls")),
    path("", include("gamify.challenges.api.urls")),
    path("", include("gamify.facts.api.urls")),
    path("", include("gamify.points.api.urls")),
    path("", include("gamify.leaderboards.api.urls")),
    path("", include("gamify.rules.api.urls")),
    path("", include("gamify.tiers.api.urls")),
    path("", include("gamify.webhooks.api.urls")),
    path("", include("gamify_project.programme.api.urls")),
    path("", include("gamify_project.exports.api.urls")),
    path("", include("gamify_project.undo.api.urls")),
    path("", include("streaks.api.urls")),
    path("", include("rewards.api.urls")),
    path("", include("participants.api.urls")),
    re_path("", errors.unknown_route),
]

phoenix: list[URLPattern | URLResolver] = [
    path("", include("streaks.api.phoenix.urls")),
    re_path("", errors.unknown_route),
]

urlpatterns = [
    path("api/v1/gamify/", include(gamify)),
    path("v1/", include(phoenix)),
    path("api/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", DocsView.as_view(), name="docs"),
    path("", RedirectView.as_view(pattern_name="admin:index")),
    path("console", RedirectView.as_view(pattern_name="admin:index")),
    path("console/reset/<uidb64>/<token>/", ResetPasswordView.as_view(), name="reset_password"),
    path("console/", admin.site.urls),
    path("health", probes.health),
    path("ready", probes.ready),
    path("metrics", metrics.metrics),
    re_path("^(?:api/v1/gamify|v1)$", errors.unknown_route),
]
