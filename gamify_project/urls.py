"""Every route of the product; each domain brings its own."""

from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from gamify_project import errors, probes

handler400 = errors.handler400
handler404 = errors.handler404
handler500 = errors.handler500

gamify: list[URLPattern | URLResolver] = [
    path("", include("gamify.points.api.urls")),
    path("", include("participants.api.urls")),
    re_path("", errors.unknown_route),
]

urlpatterns = [
    path("api/v1/gamify/", include(gamify)),
    path("api/schema", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("console/", admin.site.urls),
    path("health", probes.health),
    path("ready", probes.ready),
    re_path("^v1/", errors.unknown_route),
    re_path("^(api/v1/gamify|v1)$", errors.unknown_route),
]
