from django.urls import path

from gamify.points.api.admin import AdminBoostViewSet, TransactionsViewSet
from gamify.points.api.participant import ParticipantPointsViewSet, PointsViewSet
from participants.api.definitions import definition_routes
from participants.api.routes import of_participant

urlpatterns = [
    *definition_routes("boosts", AdminBoostViewSet),
    path("admin/transactions/<str:transaction_id>/reverse", TransactionsViewSet.as_view({"post": "reverse"})),
    path("points/award", PointsViewSet.as_view({"post": "award"})),
    path("points/deduct", PointsViewSet.as_view({"post": "deduct"})),
    path("points/award-batch", PointsViewSet.as_view({"post": "award_batch"})),
    of_participant("/points", ParticipantPointsViewSet.as_view({"get": "retrieve"})),
    of_participant("/points/transactions", ParticipantPointsViewSet.as_view({"get": "transactions"})),
]
