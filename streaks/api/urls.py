from django.urls import path

from participants.api.definitions import definition_routes
from participants.api.routes import of_participant
from streaks.api.admin import AdminStreakViewSet
from streaks.api.care import AmnestyViewSet, ParticipantCareViewSet, StreakCareViewSet
from streaks.api.participant import ParticipantStreaksViewSet, StreakViewSet

urlpatterns = [
    path("streaks/record", StreakViewSet.as_view({"post": "record"})),
    of_participant("/streaks", ParticipantStreaksViewSet.as_view({"get": "retrieve"})),
    of_participant("/streaks/<pid:code>/calendar", ParticipantStreaksViewSet.as_view({"get": "calendar"})),
    *definition_routes("streaks", AdminStreakViewSet),
    path("admin/streaks/<str:definition_id>/pause", StreakCareViewSet.as_view({"post": "pause"})),
    path("admin/streaks/<str:definition_id>/resume", StreakCareViewSet.as_view({"post": "resume"})),
    path("admin/streaks/<str:definition_id>/archive", StreakCareViewSet.as_view({"post": "archive"})),
    of_participant("/streaks/<pid:code>/freeze", ParticipantCareViewSet.as_view({"post": "freeze"}), prefix="admin/"),
    of_participant("/streaks/<pid:code>/restore", ParticipantCareViewSet.as_view({"post": "restore"}), prefix="admin/"),
    path("admin/amnesties", AmnestyViewSet.as_view({"get": "list", "post": "create"})),
    path("admin/amnesties/<str:amnesty_id>", AmnestyViewSet.as_view({"get": "retrieve", "delete": "destroy"})),
]
