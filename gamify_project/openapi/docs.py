"""The OpenAPI document at /api/schema, and the page /api/docs that shows it without loading anything from other hosts."""

from functools import cache
from typing import Any

from django.http import HttpResponse
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.renderers import OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularSwaggerSplitView
from rest_framework.negotiation import DefaultContentNegotiation
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.views import APIView


class SchemaView(APIView):
    """The OpenAPI document as JSON, or as YAML with `?format=yaml` or an `Accept` header.

    It is public and expensive to generate, so each process caches it for each format.
    """

    authentication_classes = []
    permission_classes = [AllowAny]
    renderer_classes = [OpenApiJsonRenderer2, OpenApiYamlRenderer, OpenApiYamlRenderer2]
    content_negotiation_class = DefaultContentNegotiation

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        renderer = request.accepted_renderer
        return HttpResponse(_render(renderer.format), content_type=renderer.media_type)


@cache
def _render(kind: str) -> str | bytes:
    renderer = OpenApiYamlRenderer() if kind == OpenApiYamlRenderer.format else OpenApiJsonRenderer2()
    return renderer.render(_document(), renderer_context={})


@cache
def _document() -> Any:
    return SchemaGenerator().get_schema(public=True)  # type: ignore[no-untyped-call]


class DocsView(SpectacularSwaggerSplitView):
    url_name = "schema"
