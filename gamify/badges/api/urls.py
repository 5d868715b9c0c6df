from django.urls import path

from gamify.badges.api.admin import AdminBadgeViewSet
from gamify.badges.api.participant import BadgesViewSet, ParticipantBadgesViewSet
from participants.api.definitions import definition_routes
from participants.api.routes import of_participant

urlpatterns = [
    path("badges/award", BadgesViewSet.as_view({"post": "award"})),
    of_participant("/badges", ParticipantBadgesViewSet.as_view({"get": "retrieve"})),
    *definition_routes("badges", AdminBadgeViewSet),
]
