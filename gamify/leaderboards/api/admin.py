"""Endpoints of leaderboard definitions, for API keys with the admin scope."""

from collections.abc import Mapping
from typing import Any

from gamify.leaderboards import services
from gamify.leaderboards.api import examples
from gamify.leaderboards.api.serializers import LeaderboardAnswer
from gamify.leaderboards.definitions import LeaderboardChanges, NewLeaderboard
from gamify.leaderboards.models import Leaderboard
from gamify.leaderboards.services import LeaderboardNotFound
from participants.api.definitions import DefinitionViewSet, document_endpoints
from participants.models import Definition


@document_endpoints(created=examples.CREATED)
class AdminLeaderboardViewSet(DefinitionViewSet):
    noun, model, serializer_class = "leaderboard", Leaderboard, LeaderboardAnswer
    create_body, update_body, not_found = NewLeaderboard, LeaderboardChanges, LeaderboardNotFound

    def perform_create(self, data: Mapping[str, Any]) -> Leaderboard:
        return services.create_leaderboard(tenant=self.tenant, data=data, now=self.now)

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Leaderboard:
        assert isinstance(row, Leaderboard)  # noqa: S101 - the queryset contains only leaderboards
        return services.update_leaderboard(row, tenant=self.tenant, changes=changes, now=self.now)
