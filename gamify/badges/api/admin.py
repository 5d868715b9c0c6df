"""Endpoints of badge definitions, for API keys with the admin scope."""

from collections.abc import Mapping
from typing import Any

import django_filters

from gamify.badges import services
from gamify.badges.api import examples
from gamify.badges.api.serializers import BadgeAnswer
from gamify.badges.definitions import BadgeChanges, NewBadge
from gamify.badges.models import Badge, Rarity
from gamify.badges.services import BadgeNotFound
from participants.api.definitions import DefinitionFilter, DefinitionViewSet, document_endpoints
from participants.models import Definition


class BadgeFilter(DefinitionFilter):
    category = django_filters.CharFilter(label="Only badges of this category.")
    rarity = django_filters.ChoiceFilter(choices=Rarity.choices, label="Only badges of this rarity.")


@document_endpoints(created=examples.CREATED)
class AdminBadgeViewSet(DefinitionViewSet):
    noun, model, serializer_class = "badge", Badge, BadgeAnswer
    create_body, update_body, not_found = NewBadge, BadgeChanges, BadgeNotFound
    filterset_class = BadgeFilter

    def perform_create(self, data: Mapping[str, Any]) -> Badge:
        return services.create_badge(tenant=self.tenant, data=data, now=self.now)

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Badge:
        assert isinstance(row, Badge)  # noqa: S101 - the queryset contains only badges
        return services.update_badge(row, tenant=self.tenant, changes=changes, now=self.now)
