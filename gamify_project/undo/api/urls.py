from django.urls import path

from gamify_project.undo.api.admin import UndoViewSet

urlpatterns = [
    path("admin/undo", UndoViewSet.as_view({"post": "create"})),
    path("admin/undo/<str:undo_id>", UndoViewSet.as_view({"get": "retrieve"})),
    path("admin/undo/<str:undo_id>/kept", UndoViewSet.as_view({"get": "kept"})),
]
