from django.urls import path

from gamify.tiers.api.admin import AdminTierViewSet
from gamify.tiers.api.participant import ParticipantTierViewSet, TierViewSet
from participants.api.definitions import definition_routes
from participants.api.routes import of_participant

urlpatterns = [
    path("tiers/assign", TierViewSet.as_view({"post": "assign"})),
    of_participant("/tier", ParticipantTierViewSet.as_view({"get": "retrieve"})),
    *definition_routes("tiers", AdminTierViewSet),
]
