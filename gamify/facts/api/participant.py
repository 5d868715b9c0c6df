"""Event endpoints, open to any active key."""

from typing import Any

from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from gamify.facts import selectors, services
from gamify.facts.api import examples
from gamify.facts.api.serializers import (
    EmittedAnswer,
    EventBatchAnswer,
    EventBatchBody,
    EventBody,
    EventHistory,
    EventHistoryEntry,
    ExplainedEvent,
    HistoryQuery,
    event_input_from,
)
from gamify.facts.selectors import EventNotFound
from gamify.facts.services import EventEmitted, Refused
from participants import limits
from participants.api.idempotency import REPLAYED, agreed_key
from participants.api.schema import PARTICIPANT_CAP, operation
from participants.api.views import KeyViewSet, render, writes_participant
from participants.engine import NOT_A_DAY
from participants.errors import DomainError, FieldError, InvalidFields, InvalidInput, field_errors
from participants.selectors import find_participant
from participants.work import reading


class UnprocessableBatch(InvalidFields):
    """A batch is malformed as a whole. The published spec has its own code for it."""

    code = "unprocessable_entity"


class EventsViewSet(KeyViewSet):
    @writes_participant
    @operation(
        "emit_event",
        body=EventBody,
        answer=EmittedAnswer,
        idempotent=True,
        errors=[InvalidInput("timestamp", "Must not be more than 5 minutes in the future."), PARTICIPANT_CAP],
        example=examples.EVENT,
    )
    def emit(self, request: Request) -> Response:
        """Report what a participant did. An unknown participant is created.

        All definitions that listen are evaluated before the answer, which contains what the event earned.
        """
        body = self.body(EventBody)
        event = event_input_from(body, now=self.now, idempotency_key=agreed_key(request, body.get("idempotency_key")))
        self.take_write(event.participant_id)
        emitted = services.emit(tenant=self.tenant, event=event, now=self.now)
        return Response(render(EmittedAnswer, _emitted(emitted)), headers=REPLAYED if emitted.is_replay else None)

    @operation(
        "emit_events_in_batch",
        body=EventBatchBody,
        answer=EventBatchAnswer,
        errors=[UnprocessableBatch(FieldError("events", "Ensure this field has no more than 100 elements."))],
        example=examples.BATCH,
    )
    def emit_batch(self, request: Request) -> Response:
        """Report up to 100 events.

        A malformed body is refused as a whole. Otherwise every item succeeds or fails on its own and the status is 200.
        The results are in the order of the events. A participant may appear several times. An item's `idempotency_key`
        works as in a single call; an `Idempotency-Key` header is ignored.
        """
        events = [event_input_from(item, now=self.now) for item in self._batch_body()["events"]]
        refused = limits.take_participant_writes(self.tenant, [event.participant_id for event in events])
        batch = services.emit_batch(tenant=self.tenant, events=events, refused=refused, now=self.now)
        answer = {
            "processed": batch.processed,
            "failed": batch.failed,
            "results": [_result(result) for result in batch.results],
        }
        return Response(render(EventBatchAnswer, answer))

    @operation(
        "explain_event",
        answer=ExplainedEvent,
        errors=[EventNotFound("01a20030-2f11-7c0e-9b6a-0d8c7a5e4f31")],
        example=examples.EXPLAINED,
    )
    def explain(self, request: Request, event_id: str) -> Response:
        """Explain why an event earned what it did, and not more: which definitions listened, what each of their conditions
        found, which caps and limits applied, what was given, and what followed from that. Traces are stored for a month.
        """
        with reading(self.tenant) as tenant:
            return Response(render(ExplainedEvent, selectors.event_explanation(tenant, event_id)))

    def _batch_body(self) -> Any:
        try:
            return self.body(EventBatchBody)
        except ValidationError as error:
            raise UnprocessableBatch(*field_errors(error.detail)) from None
        except DomainError as error:  # the parser refuses content that no field may contain
            if error.errors:
                raise UnprocessableBatch(*error.errors) from None
            raise


def _emitted(emitted: EventEmitted) -> dict[str, Any]:
    return {
        "event_id": emitted.event_id,
        "fact_id": emitted.fact_id,
        "status": "processed",
        "rewards_granted": emitted.rewards_granted,
    }


def _result(result: EventEmitted | Refused) -> dict[str, Any]:
    if isinstance(result, EventEmitted):
        return {**_emitted(result), "error": None, "code": None}
    nothing: dict[str, Any] = {"event_id": None, "fact_id": None, "status": "error", "rewards_granted": []}
    return {**nothing, "error": result.error.message, "code": result.error.code}


class ParticipantEventsViewSet(KeyViewSet):
    @operation(
        "list_events",
        query=HistoryQuery,
        answer=EventHistory,
        errors=[InvalidInput("from_date", NOT_A_DAY)],
        example=examples.HISTORY,
    )
    def retrieve(self, request: Request, participant_id: str) -> Response:
        """List the participant's events, newest first by the time at which they happened. Empty for an unknown participant."""
        query = self.query(HistoryQuery)
        with reading(self.tenant) as tenant:
            page = selectors.events_page(find_participant(tenant, participant_id), **query)
        events = EventHistoryEntry(page.events, many=True).data
        paging = {"total": page.total, "page": query["page"], "page_size": query["page_size"]}
        return Response({"participant_id": participant_id, "events": events, **paging})
