from django.urls import path

from gamify.points.api.participant import ParticipantPointsViewSet, PointsViewSet
from participants.api.routes import of_participant

urlpatterns = [
    path("points/award", PointsViewSet.as_view({"post": "award"})),
    path("points/deduct", PointsViewSet.as_view({"post": "deduct"})),
    path("points/award-batch", PointsViewSet.as_view({"post": "award_batch"})),
    of_participant("/points", ParticipantPointsViewSet.as_view({"get": "retrieve"})),
    of_participant("/points/transactions", ParticipantPointsViewSet.as_view({"get": "transactions"})),
]
