"""Query and answer of the programme endpoints."""

from collections.abc import Sequence
from typing import Any

from rest_framework import serializers

from gamify_project.programme.planning import ADDED, ARCHIVED, CHANGED, Change, Plan
from participants.api.fields import DryRunQuery, ValueField
from participants.api.scalars import SwitchField


class ImportQuery(DryRunQuery):
    prune = SwitchField(default=False, help_text="Archive the definitions that the file does not contain.")


class ImportedField(serializers.Serializer[Any]):
    before = ValueField(help_text="The value before the import. Null for a new definition.")
    after = ValueField(help_text="The value after the import.")


class ImportedDefinition(serializers.Serializer[Any]):
    object_type = serializers.CharField(help_text="Kind of the definition, such as `badge`.")
    code = serializers.CharField(help_text="Its code; of a webhook, its URL.")
    name = serializers.CharField(help_text="Its display name.")
    affected_participants = serializers.IntegerField(
        help_text="Number of participants who have something of it: the badge, the tier, a run, an enrolment, a claim."
    )
    changes = serializers.DictField(child=ImportedField(), help_text="The fields that differ, as the file has them.")


class ProgrammeWarning(serializers.Serializer[Any]):
    field = serializers.CharField(help_text="Path of the value in the file, such as `rules.0.then.1.code`.")
    message = serializers.CharField(help_text="What to look at.")


class ImportAnswer(serializers.Serializer[Any]):
    added = ImportedDefinition(many=True, help_text="Definitions that the import creates.")
    changed = ImportedDefinition(many=True, help_text="Definitions that it changes.")
    archived = ImportedDefinition(
        many=True, help_text="Definitions that it takes out of use, because the file lacks them."
    )
    warnings = ProgrammeWarning(many=True, help_text="What is allowed, but may not be meant.")


def import_answer(plan: Plan) -> dict[str, Any]:
    """Return the answer for a plan whose affected participants were counted."""
    changes = {action: _listed(plan.of(action)) for action in (ADDED, CHANGED, ARCHIVED)}
    return {**changes, "warnings": [{"field": each.field, "message": each.message} for each in plan.warnings]}


def _listed(changes: Sequence[Change]) -> list[dict[str, Any]]:
    return [
        {
            "object_type": change.key.noun,
            "code": change.key.identity,
            "name": change.name,
            "affected_participants": change.affected,
            "changes": {
                name: {"before": change.before.get(name), "after": value} for name, value in change.after.items()
            },
        }
        for change in changes
    ]
