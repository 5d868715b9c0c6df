"""Streak definitions, for keys with the admin scope."""

from collections.abc import Mapping
from typing import Any

from participants.api.definitions import DefinitionViewSet, document_endpoints
from streaks import services
from streaks.api import examples
from streaks.api.serializers import StreakAnswer
from streaks.definitions import NewStreak, StreakChanges, model_changes
from streaks.models import Status, Streak
from streaks.services import NOUN, StreakIdNotFound


@document_endpoints(created=examples.STREAK)
class AdminStreakViewSet(DefinitionViewSet):
    noun = NOUN
    model = Streak
    serializer_class = StreakAnswer
    create_body = NewStreak
    update_body = StreakChanges
    not_found = StreakIdNotFound

    def perform_create(self, data: Mapping[str, Any]) -> Streak:
        changes = model_changes({"fact_type": data["code"], **data})
        return services.create_streak(tenant=self.tenant, data=changes, now=self.now)

    def perform_update(self, row: Any, changes: Mapping[str, Any]) -> Streak:
        return services.update_streak(row, tenant=self.tenant, changes=model_changes(changes, row=row), now=self.now)

    def perform_destroy(self, row: Any) -> Streak:
        return services.set_status(row, tenant=self.tenant, status=Status.ARCHIVED, now=self.now)
