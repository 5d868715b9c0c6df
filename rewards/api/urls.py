from django.urls import path

from participants.api.definitions import definition_routes
from participants.api.routes import of_participant
from rewards.api.admin import AdminRewardViewSet, ClaimsViewSet, RewardCodesViewSet
from rewards.api.participant import ParticipantRewardsViewSet, RewardsViewSet

urlpatterns = [
    path("rewards", RewardsViewSet.as_view({"get": "available"})),
    path("rewards/<str:reward_id>/claim", RewardsViewSet.as_view({"post": "claim"})),
    of_participant("/rewards", ParticipantRewardsViewSet.as_view({"get": "retrieve"})),
    *definition_routes("rewards", AdminRewardViewSet),
    path("admin/rewards/<str:definition_id>/codes", RewardCodesViewSet.as_view({"post": "create"})),
    path("admin/claims/<str:claim_id>/cancel", ClaimsViewSet.as_view({"post": "cancel"})),
    path("admin/claims/<str:claim_id>/fulfil", ClaimsViewSet.as_view({"post": "fulfil"})),
]
