from django.urls import path

from gamify.leaderboards.api.admin import AdminLeaderboardViewSet
from gamify.leaderboards.api.participant import LeaderboardViewSet
from participants.api.definitions import definition_routes

urlpatterns = [
    path("leaderboards/<pid:code>/rank/<pid:participant_id>", LeaderboardViewSet.as_view({"get": "rank"})),
    path("leaderboards/<pid:code>", LeaderboardViewSet.as_view({"get": "retrieve"})),
    *definition_routes("leaderboards", AdminLeaderboardViewSet),
]
