"""Leaderboards in the console: their definitions, and who stands on them now; where a participant stands."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from rest_framework.serializers import Serializer

from gamify.leaderboards import services
from gamify.leaderboards.definitions import LeaderboardChanges, NewLeaderboard
from gamify.leaderboards.engine.periods import CLIENT_KINDS
from gamify.leaderboards.models import Leaderboard, MetricChoice, WindowChoice
from gamify.leaderboards.selectors import Board, boards_in
from gamify.leaderboards.selectors.ranking.pages import Entry, PageRequest
from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionAdmin, DefinitionForm
from participants.admin.display import display
from participants.admin.fields import ChoiceField, LineField
from participants.admin.panels import Box, Panel, panels
from participants.catalog import catalog_of
from participants.models import Participant, Tenant

TOP = 10
COLUMNS = ("Rank", "Participant", "Name", "Score", "Change")
SELECTOR = ("event_name", "field", "filter", "streak_code")
METRICS_IN_WORDS = {
    MetricChoice.POINTS_EARNED: "points earned",
    MetricChoice.POINTS_BALANCE: "points to spend",
    MetricChoice.EVENT_COUNT: "so many events",
    MetricChoice.EVENT_SUM: "a property of events, added up",
    MetricChoice.STREAK_CURRENT: "periods in a row, now",
    MetricChoice.STREAK_LONGEST: "periods in a row, at the longest",
    MetricChoice.BADGES_COUNT: "badges",
}
_BY_EVENTS = "metric == 'event_count' || metric == 'event_sum'"
_OF_STREAKS = "metric == 'streak_current' || metric == 'streak_longest'"


class LeaderboardForm(DefinitionForm):
    create_body, update_body = NewLeaderboard, LeaderboardChanges
    form_names = {f"selector.{name}": f"selector_{name}" for name in SELECTOR} | {"selector": "metric"}

    unset_words = {
        "timezone": "the tenant's",
        "selector_event_name": "any event",
        "selector_filter": "every such event",
        "participant_filter": "all participants",
    }

    metric = ChoiceField(label="Ranks by", choices=list(METRICS_IN_WORDS.items()))
    time_window = ChoiceField(
        label="Shows", choices=WindowChoice.choices, help_text="To who asks for no period; the others are kept as well."
    )
    timezone = LineField(help_text="In which its days begin, such as Europe/Berlin. Empty: the tenant's.")
    selector_event_name = LineField(label="Event", help_text="Which events count; empty for any.")
    selector_field = LineField(label="Property", help_text="Of the event, such as amount or order.total.")
    selector_filter = ConditionsField(
        label="Only events where", required=False, help_text="All conditions must hold. None: every such event counts."
    )
    selector_streak_code = LineField(label="Streak", help_text="Its code.")
    participant_filter = ConditionsField(
        label="Only participants where",
        required=False,
        help_text="Of their attributes, such as team is red. None: all.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial.update({f"selector_{name}": value for name, value in (self.instance.selector or {}).items()})

    def body(self, names: Sequence[str]) -> dict[str, Any]:
        body = super().body([name for name in names if not name.startswith("selector_")])
        if any(name.startswith("selector_") for name in names):
            body["selector"] = self._selector()
        if not body.get("timezone", ""):
            body.pop("timezone", None)
        return body

    def _selector(self) -> dict[str, Any]:
        said = {name: self.cleaned_data.get(f"selector_{name}") for name in SELECTOR}
        return {name: value for name, value in said.items() if value}

    def _bound_body(self) -> Serializer[Any]:
        judged = super()._bound_body()
        if judged.is_valid() and self.tenant:
            problem = services.selector_problem(self.tenant, judged.validated_data)
            self._place([problem] if problem else [])
        return judged


@admin.register(Leaderboard)
class LeaderboardAdmin(DefinitionAdmin):
    noun, form = "leaderboard", LeaderboardForm
    settings = ("metric", *(f"selector_{name}" for name in SELECTOR), "participant_filter", "time_window", "timezone")
    columns = ("display_metric", "time_window", "display_state")
    list_filter = ("is_active", "metric")
    conditional_fields = {
        "selector_event_name": _BY_EVENTS,
        "selector_filter": _BY_EVENTS,
        "selector_field": "metric == 'event_sum'",
        "selector_streak_code": _OF_STREAKS,
    }
    about_activating = "It is filled from the history, in the background."
    about_deactivating = "It is not shown and not kept any more. Switched on again, it is filled from the history."
    change_form_outer_after_template = "console/panels.html"

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if row := kwargs.get("obj"):
            context |= {"boxes": list(_top_boxes(row)), "timeline": []}
        return super().render_change_form(request, context, *args, **kwargs)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Leaderboard:
        return services.create_leaderboard(tenant=tenant, data=data, now=now)

    def save_changes(
        self, row: Leaderboard, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime
    ) -> Leaderboard:
        return services.update_leaderboard(row, tenant=tenant, changes=changes, now=now)

    @display("ranks by", ordering="metric")
    def display_metric(self, row: Leaderboard) -> str:
        return METRICS_IN_WORDS[MetricChoice(row.metric)]

    @display("filled", label={"complete": "success", "building": "warning"})
    def display_state(self, row: Leaderboard) -> str:
        return "building" if row.is_active and row.built_at is None else "complete"


def _top_boxes(row: Leaderboard) -> Iterable[Box]:
    """The top of the board in every period that it keeps, as clients read it now."""
    board = boards_in(catalog_of(row.tenant)).active.get(row.code)
    if board is None:
        return
    note = "It is being filled from the history: some may be missing." if board.is_building else ""
    for window, kind in CLIENT_KINDS.items():
        if board.has_kind(kind):
            yield _top(row.tenant, board, window, note=note)


def _top(tenant: Tenant, board: Board, window: str, *, note: str) -> Box:
    now = timezone.now()
    period = board.current_period(CLIENT_KINDS[window], now=now)
    page = services.answer_page(tenant=tenant, board=board, period=period, request=PageRequest(TOP), now=now)
    title = f"{WindowChoice(window).label}: top {TOP} of {page.total:,}"
    rows = [_row(board, entry) for entry in page.entries]
    return Box(title, COLUMNS, rows, empty="Nobody has a score yet.", note=note)


def _row(board: Board, entry: Entry) -> list[Any]:
    standing = entry.row
    score = f"{board.measure.display_score(standing.score):,}"
    return [entry.rank, standing.external_id, standing.display_name, score, entry.change]


def _boxes(participant: Participant) -> Iterable[Box]:
    boards = boards_in(catalog_of(participant.tenant)).active.values()
    rows = [_rank_row(board, participant) for board in boards]
    if rows:
        note = "" if participant.visible else "They do not want to be seen on leaderboards."
        yield Box("Leaderboards", ("Board", "Period", "Rank", "Of", "Score"), rows, empty="None.", note=note)


def _rank_row(board: Board, participant: Participant) -> list[Any]:
    now = timezone.now()
    period = board.current_period(board.default_kind, now=now)
    who = participant.external_id
    told = services.answer_rank(tenant=participant.tenant, board=board, period=period, participant_id=who, now=now)
    return [board.name, period.key, told.rank, f"{told.total:,}", f"{board.measure.display_score(told.score):,}"]


VIEW_PERMISSIONS = ("leaderboards.view_leaderboard", "leaderboards.change_leaderboard")
panels.register("leaderboards", Panel(seen_with=VIEW_PERMISSIONS, boxes=_boxes))
