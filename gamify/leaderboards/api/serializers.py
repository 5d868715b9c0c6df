"""Queries and answers of the leaderboard endpoints."""

from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import MetricField
from gamify.facts.services import board_metric_names
from gamify.leaderboards.definitions import LeaderboardChanges, SelectorBody
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from participants.api.answers import shows
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import ParticipantIdField
from participants.api.scalars import TextField, WholeNumberField

MAX_OFFSET = 1_000_000_000
BUILD_PROGRESS = "How much of the board is filled, from 0 to 1. It is 1 if the board is complete."
CHANGES = ("up", "down", "same", "new")


class PeriodQuery(serializers.Serializer[Any]):
    period = serializers.ChoiceField(
        choices=list(CLIENT_KINDS), required=False, help_text="Kind of period. Default: the `time_window` of the board."
    )
    period_key = TextField(
        required=False,
        max_length=10,
        help_text="One period of that kind, such as `2026-02-14`, `2026-W07`, `2026-02` or `2026`. Default: the current one.",
    )


class PageQuery(PeriodQuery):
    limit = WholeNumberField(min_value=1, max_value=100, default=20, help_text="Number of entries.")
    offset = WholeNumberField(
        min_value=0, max_value=MAX_OFFSET, default=0, help_text="Number of entries to skip at the top."
    )
    around = ParticipantIdField(
        required=False,
        help_text="Centre the page on this participant, instead of an offset. Unknown participants: 404.",
    )


class PeriodAnswer(serializers.Serializer[Any]):
    leaderboard_code = serializers.CharField(help_text="Code of the leaderboard.")
    period = serializers.ChoiceField(choices=list(CLIENT_KINDS), help_text="Kind of period.")
    period_key = serializers.CharField(help_text="Key of the period.")
    period_start = serializers.DateTimeField(allow_null=True, help_text="Start of the period. Null for all time.")
    period_end = serializers.DateTimeField(
        allow_null=True, help_text="End of the period, exclusive. Null for all time."
    )
    building = serializers.BooleanField(
        help_text="Whether the board is still being filled from the history. Entries may be missing until it is complete."
    )
    build_progress = serializers.FloatField(min_value=0, max_value=1, help_text=BUILD_PROGRESS)


class ScoreField(serializers.FloatField):
    """An integer or a decimal, without conversion to float."""

    def to_representation(self, value: Any) -> Any:
        return value


class EntryAnswer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(
        help_text="1 is the best rank. Participants with the same score have the same rank."
    )
    participant_id = ParticipantIdField()
    display_name = serializers.CharField(allow_null=True, help_text="Display name, or null.")
    score = ScoreField(help_text="Score in the period.")
    change = serializers.ChoiceField(
        choices=CHANGES,
        help_text="Change of rank since the end of the previous period. For `all_time`: since the start of today. `new`: had no rank then.",
    )


class PageAnswer(PeriodAnswer):
    entries = EntryAnswer(
        many=True, help_text="Sorted by rank. Within a tie, the participant who reached the score first comes first."
    )
    total_participants = serializers.IntegerField(help_text="Number of participants on the board.")


class RankAnswer(PeriodAnswer):
    participant_id = ParticipantIdField()
    rank = serializers.IntegerField(allow_null=True, help_text="Rank. Null without a score.")
    score = ScoreField(help_text="Score in the period.")
    total_participants = serializers.IntegerField(help_text="Number of participants on the board.")
    percentile = serializers.FloatField(
        allow_null=True,
        help_text="Percentage of the participants on the board who rank lower. 100.0 for a participant alone on the board, null without a score.",
    )


@shows(LeaderboardChanges)
class LeaderboardAnswer(DefinitionAnswer):
    # Declared again, because more metrics are registered after this module is imported.
    metric = MetricField(board_metric_names, help_text="The number that the board ranks by.")
    selector = SelectorBody(help_text="Which events or which streak the metric looks at.")
    building = serializers.SerializerMethodField(help_text="Whether the board is still being filled from the history.")
    build_progress = serializers.FloatField(min_value=0, max_value=1, help_text=BUILD_PROGRESS)

    def get_building(self, row: Any) -> bool:
        return row.built_at is None
