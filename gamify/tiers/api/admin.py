"""Endpoints of tier definitions, for keys with the admin scope."""

from gamify.tiers.api import examples
from gamify.tiers.api.serializers import TierAnswer
from gamify.tiers.definitions import NewTier, TierChanges
from gamify.tiers.models import Tier
from gamify.tiers.services import TierNotFound
from participants.api.definitions import DefinitionViewSet, document_endpoints


@document_endpoints(created=examples.CREATED)
class AdminTierViewSet(DefinitionViewSet):
    noun, model, serializer_class = "tier", Tier, TierAnswer
    create_body, update_body, not_found = NewTier, TierChanges, TierNotFound
