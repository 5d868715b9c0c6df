from django.urls import path

from gamify.challenges.api.admin import AdminChallengeViewSet
from gamify.challenges.api.participant import ChallengeViewSet, ParticipantChallengesViewSet
from participants.api.definitions import definition_routes
from participants.api.routes import of_participant

urlpatterns = [
    path("challenges", ChallengeViewSet.as_view({"get": "available"})),
    path("challenges/<pid:code>/enroll", ChallengeViewSet.as_view({"post": "enroll"})),
    of_participant("/challenges", ParticipantChallengesViewSet.as_view({"get": "retrieve"})),
    *definition_routes("challenges", AdminChallengeViewSet),
]
