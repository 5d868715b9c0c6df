from django.urls import path

from streaks.api.phoenix.admin import StreakDefinitionsViewSet
from streaks.api.phoenix.query import StreakQueryViewSet

ALL = StreakDefinitionsViewSet.as_view({"get": "list_own", "post": "create"})
ONE = StreakDefinitionsViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"})
USER = "streaks/<str:tenant_id>/users/<pid:user_id>"

urlpatterns = [
    path("streaks", StreakDefinitionsViewSet.as_view({"get": "list_all"})),
    path("tenants/<str:tenant_id>/streaks", ALL),
    path("tenants/<str:tenant_id>/streaks/<str:definition_id>", ONE),
    path(
        "tenants/<str:tenant_id>/streaks/<str:definition_id>/status",
        StreakDefinitionsViewSet.as_view({"put": "set_status"}),
    ),
    path("streaks/<str:tenant_id>/definitions", StreakQueryViewSet.as_view({"get": "definitions"})),
    # The longer path comes first: on a server without raw paths, an id can contain the slashes that follow it.
    path(
        f"{USER}/definitions/<str:definition_id>",
        StreakQueryViewSet.as_view({"get": "of_user_in_definition"}),
    ),
    path(f"{USER}/<str:definition_id>", StreakQueryViewSet.as_view({"get": "of_user_in"})),
    path(USER, StreakQueryViewSet.as_view({"get": "of_user"})),
]
