"""Leaderboards in the console: definitions, their top entries, and the ranks of a participant."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from gamify.facts.admin.metrics import SELECTOR, MetricAdmin, MetricForm, selector_names
from gamify.facts.services import board_metrics, metric_choices
from gamify.leaderboards import services
from gamify.leaderboards.definitions import LeaderboardChanges, NewLeaderboard
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from gamify.leaderboards.models import Leaderboard, WindowChoice
from gamify.leaderboards.selectors import Board, boards_in, build_progress
from gamify.leaderboards.selectors.ranking.pages import Entry, PageRequest
from participants.admin.conditions import ConditionsField, filter_in_words
from participants.admin.definitions import SHOWN
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import ChoiceField, LineField
from participants.admin.panels import Box, Panel, panels
from participants.admin.tenants import timezone_widget
from participants.admin.words import any_of, sentence_of
from participants.catalog import catalog_of
from participants.errors import FieldError
from participants.models import Capability, Participant, Tenant

TOP = 10
COLUMNS = ("Rank", "Participant", "Name", "Score", "Change")


class LeaderboardForm(MetricForm):
    create_body, update_body = NewLeaderboard, LeaderboardChanges
    form_names = selector_names("selector") | {"selector": "metric"}
    unset_words = MetricForm.unset_words | {"timezone": "the tenant's", "participant_filter": "all participants"}

    metric = ChoiceField(label="Ranks by", choices=partial(metric_choices, board_metrics))
    time_window = ChoiceField(
        label="Shows",
        choices=WindowChoice.choices,
        help_text="The period in answers to requests that name none. The other periods are available as well.",
    )
    timezone = LineField(
        label="Time zone",
        widget=timezone_widget(blank="The tenant's zone"),
        help_text="The zone in which its days begin.",
    )
    participant_filter = ConditionsField(
        label="Only participants where",
        required=False,
        help_text="Conditions on their attributes, such as team is red. Without conditions all participants are ranked.",
    )

    def stored_selector(self) -> Mapping[str, Any]:
        return self.instance.selector or {}

    def tenant_problem(self, tenant: Tenant, data: Mapping[str, Any]) -> FieldError | None:
        return services.selector_problem(tenant, data)

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if name not in SELECTOR])
        if set(names) & set(SELECTOR):
            body["selector"] = self.selector()
        if not body.get("timezone", ""):
            body.pop("timezone", None)
        return body


class MetricFilter(admin.SimpleListFilter):
    title, parameter_name = "metric", "metric"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return metric_choices(board_metrics)

    def queryset(self, request: HttpRequest, queryset: QuerySet[Leaderboard]) -> QuerySet[Leaderboard]:
        return queryset.filter(metric=self.value()) if self.value() else queryset


@admin.register(Leaderboard)
class LeaderboardAdmin(MetricAdmin):
    when_empty = WhenEmpty(
        "There is no leaderboard yet. Add one to rank participants.",
        "Add a leaderboard",
        "leaderboards_leaderboard_add",
    )
    noun, form, metrics = "leaderboard", LeaderboardForm, board_metrics
    in_use = None
    columns = ("display_metric", "time_window", "display_state")
    list_filter = ("is_active", MetricFilter)
    exports = {"leaderboard": {}}
    about_activating = "The board is filled from the history, in the background."
    about_deactivating = (
        "The board is not shown and not updated any more. When it is activated again, it is filled from the history."
    )
    change_form_outer_after_template = "admin/participants/boxes.html"

    def own_fieldsets(self, obj: Any) -> Iterable[tuple[str, dict[str, Any]]]:
        return (
            ("What is ranked", {"fields": ("metric", *SELECTOR)}),
            ("Who is ranked", {"fields": ("participant_filter",)}),
            ("Which days", {"fields": ("time_window", "timezone")}),
            SHOWN,
        )

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if row := kwargs.get("obj"):
            context |= {"boxes": list(_top_boxes(row)), "timeline": []}
        return super().render_change_form(request, context, *args, **kwargs)

    def selector_of(self, row: Leaderboard) -> Mapping[str, Any]:
        return row.selector or {}

    def in_words(self, row: Leaderboard) -> str:
        selector = row.selector or {}
        about = selector.get("streak_code") or selector.get("event_name")
        property_name = f"{selector['field']} of " if about and selector.get("field") else ""
        where = " and ".join(filter_in_words(selector.get("filter") or {}))
        who = " and ".join(filter_in_words(row.participant_filter or {}))
        return sentence_of(
            [
                f"ranks {f'participants where {who}' if who else 'all participants'} by {board_metrics[row.metric].label}"
                + (f" ({property_name}{any_of([about])})" if about else ""),
                f"only events where {where}" if where else "",
                f"shows {WindowChoice(row.time_window).label.lower()}",
                f"days begin in {row.timezone or row.tenant.timezone}",
            ]
        )

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Leaderboard:
        return services.create_leaderboard(tenant=tenant, data=data, now=now)

    def save_settings(
        self, row: Leaderboard, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime
    ) -> Leaderboard:
        return services.update_leaderboard(row, tenant=tenant, changes=changes, now=now)

    @display("ranks by", ordering="metric")
    def display_metric(self, row: Leaderboard) -> str:
        return board_metrics[row.metric].label

    @display("filled", label={"complete": "success", "building": "warning"})
    def display_state(self, row: Leaderboard) -> tuple[str, str]:
        """The key of the label, and its text."""
        if row.is_active and row.built_at is None:
            return "building", f"building, {row.build_progress:.0%}"
        return "complete", "complete"


def _top_boxes(row: Leaderboard) -> Iterable[Box]:
    """The top entries of every period of the board, as clients see them now."""
    board = boards_in(catalog_of(row.tenant)).active.get(row.code)
    if board is None:
        return
    progress = build_progress(row.tenant, board)
    note = (
        f"The board is being filled from the history ({progress:.0%}). Entries may be missing." if progress < 1 else ""
    )
    for window, kind in CLIENT_KINDS.items():
        if board.has_kind(kind):
            yield _top(row.tenant, board, window, note=note)


def _top(tenant: Tenant, board: Board, window: str, *, note: str) -> Box:
    now = timezone.now()
    period = board.current_period(CLIENT_KINDS[window], now=now)
    page = services.answer_page(tenant=tenant, board=board, period=period, request=PageRequest(TOP), now=now)
    title = f"{WindowChoice(window).label}: top {TOP} of {page.total:,}"
    rows = [_row(board, entry) for entry in page.entries]
    return Box(title, COLUMNS, rows, empty="No participant has a score yet.", note=note)


def _row(board: Board, entry: Entry) -> list[Any]:
    row = entry.row
    score = f"{board.measure.display_score(row.score):,}"
    return [entry.rank, row.external_id, row.display_name, score, entry.change]


def _boxes(participant: Participant, reader: Any) -> Iterable[Box]:
    boards = boards_in(catalog_of(participant.tenant)).active.values()
    rows = [_rank_row(board, participant) for board in boards]
    if rows:
        note = "" if participant.visible else "This participant is hidden on leaderboards."
        yield Box("Leaderboards", ("Board", "Period", "Rank", "Of", "Score"), rows, empty="None.", note=note)


def _rank_row(board: Board, participant: Participant) -> list[Any]:
    """Return the exact rank on one board. It needs queries for each board, because each has its own period, zone and stored ranges."""
    now = timezone.now()
    period = board.current_period(board.default_kind, now=now)
    who = participant.external_id
    ranked = services.answer_rank(tenant=participant.tenant, board=board, period=period, participant_id=who, now=now)
    return [
        board.name,
        period.key.replace("_", " "),
        ranked.rank,
        f"{ranked.total:,}",
        f"{board.measure.display_score(ranked.score):,}",
    ]


VIEW_PERMISSIONS = ("leaderboards.view_leaderboard", "leaderboards.change_leaderboard")
panels.register(
    "leaderboards", Panel(capability=Capability.SEE_DEFINITIONS, view_permissions=VIEW_PERMISSIONS, boxes=_boxes)
)
