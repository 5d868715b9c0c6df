"""What an actor did, and what was changed in the configuration: two lists for keys with the admin scope, newest first."""

from typing import Any

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from participants.activity import ActivityFilter, activity_page
from participants.api import examples
from participants.api.actors import actor_field, request_id_field
from participants.api.fields import ParticipantIdField, ValueField
from participants.api.scalars import CalendarInstantField, IdField, TextField, WholeNumberField
from participants.api.schema import operation
from participants.api.views import AdminViewSet, render
from participants.selectors import ChangeFilter, changes_page
from participants.work import reading


class PageQuery(serializers.Serializer[Any]):
    actor = TextField(
        max_length=100,
        required=False,
        help_text="Only what this actor did: `kind:id`, such as `api_key:01a2…`, an id alone, or a kind alone.",
    )
    since = CalendarInstantField(required=False, help_text="Only from this instant on.")
    until = CalendarInstantField(required=False, help_text="Only before this instant.")
    cursor = IdField(required=False, help_text="`next_cursor` of the page before. Default: the newest items.")
    limit = WholeNumberField(min_value=1, max_value=1000, default=100, help_text="Maximum number of items.")


class ActivityQuery(PageQuery):
    participant_id = ParticipantIdField(required=False, help_text="Only what concerns this participant.")


class ActivityAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Id of what was written: a ledger entry, an event or a domain event.")
    at = serializers.DateTimeField(help_text="When it was written.")
    actor = actor_field()
    request_id = request_id_field()
    participant_id = serializers.CharField(allow_null=True, help_text="Whom it concerns; null: no single participant.")
    type = serializers.CharField(help_text="What happened, named as in webhooks and the feed: `points.awarded`.")
    data = serializers.DictField(help_text="Details, which depend on the type.")  # type: ignore[assignment]  # serializers have an attribute of this name


class ActivityPage(serializers.Serializer[Any]):
    items = ActivityAnswer(many=True, help_text="What was written, newest first.")
    next_cursor = serializers.UUIDField(
        allow_null=True, help_text="`cursor` of the next page; null: this is the last one."
    )


class ChangesQuery(PageQuery):
    object_type = TextField(
        max_length=40,
        required=False,
        help_text="Only changes of this kind: a kind of definition in the singular, such as `badge` or `rule`, or `tenant`, `api_key`, "
        "`partner_secret`, `webhook`, `amnesty`, `participant_export`.",
    )
    code = TextField(max_length=255, required=False, help_text="Only changes of what has this code.")


class FieldChange(serializers.Serializer[Any]):
    before = ValueField(help_text="The value before; null if there was none.")
    after = ValueField(help_text="The value after; null if there is none.")


class ChangeAnswer(serializers.Serializer[Any]):
    id = serializers.UUIDField(help_text="Id of the change.")
    at = serializers.DateTimeField(source="created_at", help_text="When it was changed.")
    actor = actor_field()
    request_id = request_id_field()
    object_type = serializers.CharField(help_text="What kind of thing was changed, such as `rule`.")
    object_id = serializers.CharField(help_text="Its id.")
    code = serializers.CharField(help_text="Its code; of a key its prefix, of a webhook its address.")
    version = serializers.IntegerField(
        source="number", allow_null=True, help_text="The version of the definition that the change made, or null."
    )
    changes = serializers.DictField(
        child=FieldChange(), help_text="Each changed field with its value before and after. Secrets are never shown."
    )
    reason = serializers.CharField(
        allow_null=True, help_text="Why, as in `X-Change-Reason`; null: no reason was given."
    )


class ChangesPage(serializers.Serializer[Any]):
    items = ChangeAnswer(many=True, help_text="Changes, newest first.")
    next_cursor = serializers.UUIDField(
        allow_null=True, help_text="`cursor` of the next page; null: this is the last one."
    )


class HistoryViewSet(AdminViewSet):
    @operation("list_activity", query=ActivityQuery, answer=ActivityPage, example=examples.ACTIVITY)
    def activity(self, request: Request) -> Response:
        """All that an actor did, newest first: points, events, and every other change of participants.

        Points and events are listed for as long as they exist, and of one participant also badges, tiers and claims. The other
        types are listed for as long as their domain events are stored, and imports that emit none are listed by their points and
        events only. What a definition granted has the definition as its actor, and the request id of the call that led to it.
        """
        query = self.query(ActivityQuery)
        wanted = ActivityFilter(
            actor=query.get("actor"),
            since=query.get("since"),
            until=query.get("until"),
            external_id=query.get("participant_id"),
            before=query.get("cursor"),
        )
        with reading(self.tenant):
            items, cursor = activity_page(self.tenant, wanted, limit=query["limit"], now=self.now)
            return Response(render(ActivityPage, {"items": items, "next_cursor": cursor}))

    @operation("list_changes", query=ChangesQuery, answer=ChangesPage, example=examples.CHANGES)
    def changes(self, request: Request) -> Response:
        """Every change of a definition, the tenant, its keys, secrets, webhooks and amnesties, newest first.

        It lists changes by this API, by the console and by commands alike, with the values before and after. Send the header
        `X-Change-Reason` with a change to store why.
        """
        query = self.query(ChangesQuery)
        wanted = ChangeFilter(
            **{name: query.get(name) for name in ("actor", "since", "until", "object_type", "code")},
            before=query.get("cursor"),
        )
        with reading(self.tenant):
            items, cursor = changes_page(self.tenant, wanted, limit=query["limit"])
            return Response(render(ChangesPage, {"items": items, "next_cursor": cursor}))
