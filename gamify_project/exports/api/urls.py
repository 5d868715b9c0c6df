from django.urls import path

from gamify_project.exports.api.admin import ExportViewSet

urlpatterns = [
    path("admin/exports", ExportViewSet.as_view({"get": "index", "post": "create"})),
    path("admin/exports/<str:export_id>", ExportViewSet.as_view({"get": "retrieve"})),
    path("admin/exports/<str:export_id>/file", ExportViewSet.as_view({"get": "file"}), name="export_file"),
]
