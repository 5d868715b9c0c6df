"""Bodies and answers of the undo endpoints."""

from typing import Any

from rest_framework import serializers

from gamify_project.undo.models import UndoStatus
from gamify_project.undo.services import CAUSE_KINDS, MAX_VERSION
from participants.actors import MAX_REASON
from participants.api.actors import ActorAnswer
from participants.api.nested import NestedObject
from participants.api.scalars import CalendarInstantField, FlagField, IdField, TextField, WholeNumberField


class CauseBody(NestedObject):
    kind = serializers.ChoiceField(choices=CAUSE_KINDS, help_text="Kind of the actor, as in `admin/activity`.")
    id = TextField(max_length=100, help_text="Its id, as in `admin/activity`; of a rule `rule:CODE`.")
    version = WholeNumberField(
        min_value=1,
        max_value=MAX_VERSION,
        required=False,
        help_text="Of a definition: only what this version gave, which is what it gave while it was in force.",
    )


class UndoBody(serializers.Serializer[Any]):
    cause = CauseBody(help_text="Whose writes are taken back.")
    since = CalendarInstantField(help_text="Only what was written from this instant on.")
    until = CalendarInstantField(required=False, help_text="Only what was written before this instant. Default: now.")
    reason = TextField(
        max_length=MAX_REASON, required=False, help_text="Reason of all reversals, such as of the ledger entries."
    )
    dry_run = FlagField(default=False, help_text="Only report what would be taken back.")


class CauseAnswer(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=CAUSE_KINDS, help_text="Kind of the actor.")
    id = serializers.CharField(help_text="Its id.")
    version = serializers.IntegerField(required=False, help_text="Version of the definition, if the request named one.")


class UndoAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(source="undo.pk", help_text="Id of the undo.")
    status = serializers.ChoiceField(
        source="undo.status", choices=UndoStatus.choices, help_text="`done` and `failed` are final."
    )
    dry_run = serializers.BooleanField(source="undo.is_dry_run", help_text="Whether it changes nothing.")
    cause = CauseAnswer(source="undo.cause_json", help_text="Whose writes are taken back.")
    since = serializers.DateTimeField(source="undo.since", help_text="Begin of the time, included.")
    until = serializers.DateTimeField(source="undo.until", help_text="End of the time, not included.")
    reason = serializers.CharField(source="undo.reason", allow_null=True, help_text="Reason of the request, or null.")
    reversed = serializers.IntegerField(help_text="Number of rows that were taken back so far.")
    kept = serializers.IntegerField(help_text="Number of what stays, so far.")
    waiting = serializers.IntegerField(help_text="Number of rows that are listed and not looked at yet.")
    error = serializers.CharField(source="undo.error", allow_null=True, help_text="Why it failed, or null.")
    actor = ActorAnswer(source="undo.actor_json", allow_null=True, help_text="Who asked for it.")
    request_id = serializers.CharField(
        source="undo.request_id", allow_null=True, help_text="`X-Request-Id` of the call that asked for it, or null."
    )
    created_at = serializers.DateTimeField(source="undo.created_at", help_text="When it was asked for.")
    finished_at = serializers.DateTimeField(
        source="undo.finished_at", allow_null=True, help_text="When it ended, or null."
    )


class TypeCounts(serializers.Serializer[Any]):
    reversed = serializers.IntegerField(help_text="Taken back.")
    kept = serializers.IntegerField(help_text="Not taken back.")
    waiting = serializers.IntegerField(help_text="Not looked at yet.")


class UndoReport(UndoAnswer):
    by_type = serializers.DictField(
        child=TypeCounts(),
        help_text="The numbers by type: `points`, `event`, `badge`, `tier`, `claim`, the parts of an event that stay, and the types of "
        "domain events that cannot be taken back.",
    )


class KeptQuery(serializers.Serializer[Any]):
    cursor = IdField(required=False, help_text="`next_cursor` of the page before.")
    limit = WholeNumberField(min_value=1, max_value=1000, default=100, help_text="Maximum number of items.")


class KeptItem(serializers.Serializer[Any]):
    type = serializers.CharField(help_text="What it is, as in `by_type`.")
    id = serializers.UUIDField(source="shown_id", help_text="Id of the ledger entry, event, claim and so on.")
    participant_id = serializers.CharField(
        source="participant_name", allow_null=True, help_text="Whose it is. Null: the participant was deleted."
    )
    reason = serializers.CharField(help_text="Why it was kept.")


class KeptPage(serializers.Serializer[Any]):
    items = KeptItem(many=True, help_text="What was kept.")
    next_cursor = serializers.UUIDField(
        allow_null=True, help_text="`cursor` of the next page; null: this is the last one."
    )
