"""The actor in answers: on whose account something was written."""

from typing import Any

from rest_framework import serializers

from participants.actors import ActorKind

KINDS = [kind.value for kind in ActorKind]


class ActorAnswer(serializers.Serializer[Any]):
    """On whose account something was written."""

    kind = serializers.ChoiceField(
        choices=KINDS,
        help_text="What it is. A `definition` gave something by itself; a `sweep` is a periodic task, or time; `command` is "
        "an operator's command.",
    )
    id = serializers.CharField(
        help_text="Id of the key, the partner's secret, the user or the import; type and code of a definition, such as "
        "`rule:double_weekend`; name of a task or command."
    )
    label = serializers.CharField(  # type: ignore[assignment]  # serializers have an attribute of this name
        help_text="Its name at the time of the write. It stays when the key or the user is deleted."
    )


def actor_field() -> ActorAnswer:
    return ActorAnswer(
        allow_null=True,
        source="actor_json",
        help_text="On whose account it was written; null: an earlier release wrote it.",
    )


def request_id_field() -> serializers.CharField:
    return serializers.CharField(
        allow_null=True, help_text="`X-Request-Id` of the request that led to it; null: there was none."
    )
