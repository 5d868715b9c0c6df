"""Queries and answers about leaderboards."""

from typing import Any

from rest_framework import serializers

from gamify.facts.definitions import FilterField, MetricField
from gamify.facts.services import board_metric_names
from gamify.leaderboards.definitions import SelectorBody
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from participants.api.definitions import DefinitionAnswer
from participants.api.fields import ParticipantIdField
from participants.api.scalars import TextField, WholeNumberField

MAX_OFFSET = 1_000_000_000
CHANGES = ("up", "down", "same", "new")


class PeriodQuery(serializers.Serializer[Any]):
    period = serializers.ChoiceField(
        choices=list(CLIENT_KINDS), required=False, help_text="Which kind of period; the board's own when left out."
    )
    period_key = TextField(
        required=False,
        max_length=10,
        help_text="Which one of that kind, such as `2026-02-14`, `2026-W07`, `2026-02` or `2026`; the current one when left out.",
    )


class PageQuery(PeriodQuery):
    limit = WholeNumberField(min_value=1, max_value=100, default=20, help_text="How many entries.")
    offset = WholeNumberField(
        min_value=0, max_value=MAX_OFFSET, default=0, help_text="How many to leave out at the top."
    )
    around = ParticipantIdField(
        required=False, help_text="A participant to centre the page on, instead of an offset; unknown ones: 404."
    )


class PeriodAnswer(serializers.Serializer[Any]):
    leaderboard_code = serializers.CharField(help_text="Code of the board.")
    period = serializers.ChoiceField(choices=list(CLIENT_KINDS), help_text="The kind of period.")
    period_key = serializers.CharField(help_text="Which one of that kind.")
    period_start = serializers.DateTimeField(allow_null=True, help_text="When it began; null for all time.")
    period_end = serializers.DateTimeField(allow_null=True, help_text="When it ends, exclusively; null for all time.")
    building = serializers.BooleanField(
        help_text="Whether the board is still being filled from the history: until then some may be missing."
    )


class ScoreField(serializers.FloatField):
    """A number as it is: whole where it is whole."""

    def to_representation(self, value: Any) -> Any:
        return value


class EntryAnswer(serializers.Serializer[Any]):
    rank = serializers.IntegerField(help_text="1 for the best; who has the same score has the same rank.")
    participant_id = ParticipantIdField()
    display_name = serializers.CharField(allow_null=True, help_text="A name to show, or null.")
    score = ScoreField(help_text="What they have come to in the period.")
    change = serializers.ChoiceField(
        choices=CHANGES,
        help_text="Against the end of the period before, of all time against the beginning of today; `new` for who was not there.",
    )


class PageAnswer(PeriodAnswer):
    entries = EntryAnswer(many=True, help_text="In order; within a tie, who came to the score first comes first.")
    total_participants = serializers.IntegerField(help_text="How many are on the board.")


class RankAnswer(PeriodAnswer):
    participant_id = ParticipantIdField()
    rank = serializers.IntegerField(allow_null=True, help_text="Their rank; null for who has no score.")
    score = ScoreField(help_text="What they have come to in the period.")
    total_participants = serializers.IntegerField(help_text="How many are on the board.")
    percentile = serializers.FloatField(
        allow_null=True,
        help_text="Of how many in a hundred they are ahead; 100.0 for who is alone, null without a score.",
    )


class LeaderboardAnswer(DefinitionAnswer):
    metric = MetricField(board_metric_names, help_text="What it ranks by.")
    selector = SelectorBody(help_text="Which events or which streak it looks at.")
    time_window = serializers.ChoiceField(
        choices=list(CLIENT_KINDS), help_text="The period shown to who asks for none."
    )
    timezone = serializers.CharField(help_text="IANA zone in which its days begin.")
    participant_filter = FilterField(allow_null=True, help_text="Whom it ranks, by their attributes; null for all.")
    building = serializers.SerializerMethodField(help_text="Whether it is still being filled from the history.")

    def get_building(self, row: Any) -> bool:
        return row.built_at is None
