from django.urls import path

from participants.api.definitions import definition_routes
from participants.api.routes import of_participant
from streaks.api.admin import AdminStreakViewSet
from streaks.api.participant import ParticipantStreaksViewSet, StreakViewSet

urlpatterns = [
    path("streaks/record", StreakViewSet.as_view({"post": "record"})),
    of_participant("/streaks", ParticipantStreaksViewSet.as_view({"get": "retrieve"})),
    *definition_routes("streaks", AdminStreakViewSet),
]
