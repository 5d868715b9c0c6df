"""Enrolments whose end has come and has not been told of, found by partial index."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import OuterRef, Q, Subquery

from gamify.challenges.engine import Duration
from gamify.challenges.models import Challenge, Enrolment
from gamify.challenges.selectors.catalog import term_of


@dataclass(frozen=True)
class Due:
    """An enrolment that has ended."""

    row_id: UUID
    participant_id: UUID
    enrolled_at: datetime


def challenges_with_due(*, now: datetime) -> list[Challenge]:
    """Active challenges with enrolments to announce as expired, with their tenants (disabled tenants included).

    Costs one index probe per challenge that has an end. A subquery reads one value, because PostgreSQL may turn EXISTS into
    a join that reads every enrolment under way.
    """
    under_way = Enrolment.objects.filter(tenant_id=OuterRef("tenant_id"), challenge_id=OuterRef("pk")).due(now)
    first = under_way.order_by("enrolled_at").values("enrolled_at")[:1]
    ending = Challenge.objects.filter(~Q(duration_type=Duration.PERPETUAL), is_active=True)
    found = (
        ending.select_related("tenant").order_by("pk").annotate(first_at=Subquery(first)).filter(first_at__isnull=False)
    )
    return [challenge for challenge in found if term_of(challenge).has_ended(challenge.first_at, now)]


def due_rows(challenge: Challenge, *, behind: Due | None, limit: int, now: datetime) -> Sequence[Due]:
    """Up to `limit` ended enrolments of the challenge, the earliest first.

    `behind` is the last enrolment of the previous page, or None for the first page.
    """
    rows = Enrolment.objects.filter(tenant_id=challenge.tenant_id, challenge_id=challenge.pk).due(now)
    term = term_of(challenge)
    if term.lasts is not None:
        rows = rows.filter(enrolled_at__lte=now - term.lasts)
    elif not term.has_ended(now, now):
        return ()
    if behind is not None:
        later = Q(enrolled_at__gt=behind.enrolled_at) | Q(pk__gt=behind.row_id)
        rows = rows.filter(later, enrolled_at__gte=behind.enrolled_at)
    found = rows.order_by("enrolled_at", "pk").values_list("pk", "participant_id", "enrolled_at")
    return [Due(*each) for each in found[:limit]]
