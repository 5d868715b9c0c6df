from django.urls import path

from gamify_project.programme.api.admin import ProgrammeViewSet

urlpatterns = [path("admin/programme", ProgrammeViewSet.as_view({"get": "export", "post": "import_"}))]
