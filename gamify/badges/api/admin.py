"""Badge definitions, which need the admin scope."""

import django_filters

from gamify.badges.api import examples
from gamify.badges.api.serializers import BadgeAnswer
from gamify.badges.definitions import BadgeChanges, NewBadge
from gamify.badges.models import Badge, Rarity
from gamify.badges.services import BadgeNotFound
from participants.api.definitions import DefinitionFilter, DefinitionViewSet, documented


class BadgeFilter(DefinitionFilter):
    category = django_filters.CharFilter(label="Only badges of this category.")
    rarity = django_filters.ChoiceFilter(choices=Rarity.choices, label="Only badges of this rarity.")


@documented(created=examples.CREATED)
class AdminBadgeViewSet(DefinitionViewSet):
    noun, model, serializer_class = "badge", Badge, BadgeAnswer
    create_body, update_body, not_found = NewBadge, BadgeChanges, BadgeNotFound
    filterset_class = BadgeFilter
