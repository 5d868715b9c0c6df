"""Base of read-only lists of what happened to participants, searchable by the complete participant id."""

from collections.abc import Sequence
from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString

from participants.admin.access import link_to
from participants.admin.authorization import Needs
from participants.admin.base import ReadOnlyAdmin, TenantDataAdmin
from participants.admin.display import display
from participants.admin.fields import ReasonField
from participants.admin.pages import PageForm
from participants.admin.picker import picked_tenant
from participants.models import Capability
from participants.selectors import find_participant


class WhyForm(PageForm):
    """Form of a page that reverses or closes a row: it asks for the reason."""

    reason = ReasonField()


class HistoryAdmin(TenantDataAdmin, ReadOnlyAdmin):
    """Rows of participants, newest first (ids are ordered by time), without counts.

    A search needs the complete participant id and uses the index on the participant, whose order is `order_of_one`. A search for
    a part of an id would read the whole table.
    """

    needs = Needs(view=Capability.SEE_PARTICIPANTS)
    list_filter_submit = True
    list_select_related = ("participant",)
    search_fields = ("participant__external_id",)  # only makes the search box appear; get_search_results searches
    search_help_text = "The whole participant id"
    ordering = ("-id",)
    sortable_by = ()
    order_of_one: Sequence[str] = ("-id",)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("participant", "tenant")

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Any]", search_term: str
    ) -> tuple["QuerySet[Any]", bool]:
        if not search_term:
            return queryset, False
        tenant = picked_tenant(request)
        participant = find_participant(tenant, search_term) if tenant else None
        if participant is None:
            return queryset.none(), False
        return queryset.filter(participant=participant).order_by(*self.order_of_one), False

    @display("participant")
    def display_participant(self, row: Any) -> SafeString | str:
        return link_to(row.participant, row.reader)
