"""A minimal URLconf that uses the base classes of the Phoenix gateways."""

from typing import Any

from django.urls import path
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from gamify_project import urls
from participants.api.phoenix import PhoenixAdminViewSet, PhoenixQueryViewSet
from participants.api.schema import Example, operation


class Seen(serializers.Serializer[Any]):
    tenant = serializers.CharField(help_text="The id of the row.")
    environment = serializers.CharField(help_text="Live or sandbox.")
    user = serializers.CharField(allow_null=True, help_text="The user of the path.")
    is_platform = serializers.BooleanField(help_text="Whether the caller is a platform.")


EXAMPLE = Example({"tenant": "x", "environment": "live", "user": "user_123", "is_platform": False})


class Query(PhoenixQueryViewSet):
    @operation("see_as_query", answer=Seen, example=EXAMPLE)
    def see(self, request: Request, tenant_id: str, user_id: str | None = None) -> Response:
        """Return what the view sees."""
        return Response(seen(self, user_id))

    @operation("echo_as_query", answer=Seen, example=EXAMPLE, body=Seen)
    def echo(self, request: Request, tenant_id: str) -> Response:
        """Return the body."""
        return Response(request.data)


class Admin(PhoenixAdminViewSet):
    @operation("see_as_admin", answer=Seen, example=EXAMPLE)
    def see(self, request: Request, tenant_id: str) -> Response:
        """Return what the view sees."""
        return Response(seen(self, None))

    @operation("see_mine", answer=Seen, example=EXAMPLE)
    def see_mine(self, request: Request) -> Response:
        """Return what the view sees if the path names no tenant."""
        return Response(seen(self, None))


def seen(view: PhoenixQueryViewSet, user: str | None) -> dict[str, Any]:
    return {
        "tenant": str(view.tenant.pk),
        "environment": view.tenant.environment,
        "user": user,
        "is_platform": view.is_platform,
    }


urlpatterns = [
    path("v1/streaks/<str:tenant_id>/users/<pid:user_id>", Query.as_view({"get": "see"})),
    path("v1/streaks/<str:tenant_id>/echo", Query.as_view({"post": "echo"})),
    path("v1/tenants/<str:tenant_id>/streaks", Admin.as_view({"get": "see"})),
    path("v1/mine/streaks", Admin.as_view({"get": "see_mine"})),
    *urls.urlpatterns,
]
handler400, handler404, handler500 = urls.handler400, urls.handler404, urls.handler500
