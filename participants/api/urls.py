"""Routes of participants. They must come last: `participants/{pid}` also matches every longer path."""

from django.urls import path

from participants.api.activity import HistoryViewSet
from participants.api.admin import AdminParticipantViewSet
from participants.api.participant import ParticipantViewSet
from participants.api.routes import of_participant

urlpatterns = [
    path("participants", ParticipantViewSet.as_view({"post": "create"})),
    of_participant("/state", ParticipantViewSet.as_view({"get": "state"})),
    of_participant("", ParticipantViewSet.as_view({"get": "retrieve", "patch": "partial_update"})),
    path("admin/activity", HistoryViewSet.as_view({"get": "activity"})),
    path("admin/changes", HistoryViewSet.as_view({"get": "changes"})),
    path("admin/participants", AdminParticipantViewSet.as_view({"get": "list"})),
    of_participant("/export", AdminParticipantViewSet.as_view({"get": "export"}), prefix="admin/"),
    of_participant("", AdminParticipantViewSet.as_view({"delete": "destroy"}), prefix="admin/"),
]
