"""Endpoints of challenge definitions, for keys with the admin scope."""

from collections.abc import Mapping
from typing import Any

from rest_framework import serializers

from gamify.challenges.api import examples
from gamify.challenges.api.serializers import ChallengeAnswer
from gamify.challenges.definitions.challenges import (
    ChallengeChanges,
    NewChallenge,
    challenge_grant_problems,
    nest_problems,
)
from gamify.challenges.models import Challenge
from gamify.challenges.services import ChallengeNotFound
from participants.api.definitions import DefinitionViewSet, document_endpoints
from participants.models import Definition


@document_endpoints(created=examples.CREATED)
class AdminChallengeViewSet(DefinitionViewSet):
    noun, model, serializer_class = "challenge", Challenge, ChallengeAnswer
    create_body, update_body, not_found = NewChallenge, ChallengeChanges, ChallengeNotFound

    def perform_create(self, data: Mapping[str, Any]) -> Definition:
        self._check(data)
        return super().perform_create(data)

    def perform_update(self, row: Definition, changes: Mapping[str, Any]) -> Definition:
        self._check(changes)
        return super().perform_update(row, changes)

    def _check(self, data: Mapping[str, Any]) -> None:
        """Raises: ValidationError if a grant names something that the tenant cannot give."""
        if problems := list(challenge_grant_problems(self.tenant, data)):
            raise serializers.ValidationError(nest_problems(problems))
