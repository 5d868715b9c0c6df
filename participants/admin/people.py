"""Console pages of participants: list, register, edit, delete, anonymise; with totals, tables and a timeline."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, StreamingHttpResponse
from django.urls import reverse
from django.utils import timezone
from unfold.contrib.filters.admin import FieldTextFilter
from unfold.widgets import UnfoldAdminTextInputWidget

from participants import selectors
from participants.activity import Activity
from participants.admin import audit, panels
from participants.admin.attributes import AttributesField
from participants.admin.authorization import Declared, Needs
from participants.admin.base import TenantDataAdmin, TenantDataForm, replace_fields
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.fields import check_line, checked_by
from participants.admin.filters import DayFilter
from participants.admin.pages import AuditedForm, Done, Link, ObjectPage
from participants.admin.panels import Box, Line, Panel, Story
from participants.admin.tenants import timezone_widget
from participants.admin.timeline import timeline
from participants.admin.viewing import words_by_label
from participants.downloads import uncached
from participants.engine import web_address_problem
from participants.models import Capability, Participant
from participants.services import participants as services
from participants.services.personal_export import export_personal_data
from participants.work import as_if_settled

PROFILE = ("display_name", "avatar_url", "timezone", "visible")
RULES = {"display_name": check_line, "avatar_url": checked_by(web_address_problem)}
TOTALS = {"Earned": "total_earned", "Spent": "total_spent", "Expired": "total_expired", "Events": "total_events"}
EDIT = "edit"
WITHOUT_BUTTONS = {"show_delete": False, "show_save_and_continue": False}
ABOUT = ("first_seen_at", "last_seen_at", "anonymized_at", "id")


class ParticipantForm(TenantDataForm):
    external_id = forms.CharField(
        label="Participant id",
        max_length=255,
        strip=False,
        widget=UnfoldAdminTextInputWidget,
        validators=[check_line],
        help_text="The id your application uses for this user. It cannot be changed later.",
    )
    only_new = ("external_id",)
    attribute_rows = AttributesField(label="Attributes", required=False)

    class Meta:
        model = Participant
        fields = ("external_id", *PROFILE)
        widgets = {"timezone": timezone_widget(blank="The tenant's time zone")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["attribute_rows"] = self.instance.attributes
        for name in RULES.keys() & self.fields.keys():
            self.fields[name].validators.append(RULES[name])

    def clean_external_id(self) -> str:
        external_id = str(self.cleaned_data["external_id"])
        if self.tenant and selectors.find_participant(self.tenant, external_id):
            raise forms.ValidationError("A participant with this id exists already.")
        return external_id

    def changes(self) -> dict[str, Any]:
        """Return the changes for the service: the edited fields, and `attributes` as a merge patch."""
        changes = {name: self.cleaned_data[name] for name in PROFILE if name in self.changed_data}
        patch = self.cleaned_data["attribute_rows"]
        return changes | ({"attributes": patch} if patch else {})


def _points_box(row: Participant) -> Box:
    rows = [[title, f"{getattr(row, column):,}"] for title, column in TOTALS.items()]
    return Box("Points", rows=rows, figure=f"{row.balance:,}", note="Balance")


def _lines(participant: Participant, items: Sequence[Activity], reader: Any) -> Mapping[UUID, Line]:
    return {item.id: Line(WORDS[item.type]) for item in items}


WORDS = {
    "participant.created": "Seen for the first time",
    "participant.updated": "Profile changed",
    "participant.anonymized": "Anonymised",
    "participant.deleted": "Deleted",
}
STORY = Story("participant", "Profile", "person", WORDS, _lines)
panels.panels.register("participants", Panel(capability=Capability.SEE_PARTICIPANTS, story=STORY))


def _delete(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    services.delete(tenant=participant.tenant, external_id=participant.external_id, now=timezone.now())
    people = reverse("admin:participants_participant_changelist")
    return Done(f"Deleted {participant.external_id} and all their data.", "Deleted.", audit.DELETION, people)


def _anonymize(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    new_id = services.anonymize(tenant=participant.tenant, external_id=participant.external_id, now=timezone.now())
    return Done(f"Anonymised. The new id of the participant is {new_id}.", "Anonymised.")


def _export(request: HttpRequest, participant: Participant, data: Mapping[str, Any]) -> Done:
    parts = export_personal_data(tenant=participant.tenant, external_id=participant.external_id, now=timezone.now())
    file = StreamingHttpResponse(parts, content_type="application/json")
    file = uncached(file, file_name=f"participant-{participant.pk}.json")
    # Django's own pages are annotated with this narrower type.
    return Done("", "Exported all their data.", download=cast("HttpResponse", file))


EXPORT = ObjectPage(
    name="export",
    title="Export data",
    explanation="Downloads everything that is stored about the participant as one JSON file: the profile, points, events, badges, streaks, "
    "challenges, claims with their codes, leaderboards, and webhooks that wait. The change log records that you did.",
    button="Download",
    permission="participants.export_participant",
    capability=Capability.OWN,
    perform=_export,
    icon="download",
    in_menu=True,
)
ANONYMIZE = ObjectPage(
    name="anonymize",
    title="Anonymise",
    explanation="Name, avatar and attributes are cleared, the id is replaced by a random one, and the reasons and metadata of "
    "ledger entries are removed. Balance, ledger and counts stay. This cannot be undone.",
    button="Anonymise for good",
    permission="participants.delete_participant",
    capability=Capability.OWN,
    perform=_anonymize,
    form_class=AuditedForm,
    icon="person_off",
    is_dangerous=True,
    in_menu=True,
    is_dialog=True,
    is_offered=lambda participant: participant.anonymized_at is None,
)
DELETE = ObjectPage(
    name="delete",  # replaces Django's page, which would bypass the service
    title="Delete",
    explanation="Deletes the participant, their ledger and all their other data. This cannot be undone. "
    "To keep the counts and remove only the personal data, anonymise instead.",
    button="Delete for good",
    permission="participants.delete_participant",
    capability=Capability.OWN,
    perform=_delete,
    form_class=AuditedForm,
    icon="delete_forever",
    is_dangerous=True,
    in_menu=True,
    is_dialog=True,
)


@admin.register(Participant)
class ParticipantAdmin(TenantDataAdmin):
    needs = Needs(view=Capability.SEE_PARTICIPANTS, add=Capability.CARE, change=Capability.CARE, delete=Capability.OWN)
    when_empty = WhenEmpty(
        "There is no participant yet. Add one, or let your application report an event.",
        "Add a participant",
        "participants_participant_add",
    )
    form = ParticipantForm
    list_display = (
        "external_id",
        "display_name",
        "display_balance",
        "display_earned",
        "tier_code",
        "display_status",
        "last_seen_at",
    )
    list_filter = (
        "is_active",
        ("tier_code", FieldTextFilter),
        ("first_seen_at", DayFilter),
        ("last_seen_at", DayFilter),
    )
    exports = {"participants": {"is_active__exact": "is_active"}}
    list_filter_submit = True
    list_select_related = ("tenant",)
    search_fields = ("external_id",)  # only makes the search box appear; get_search_results searches
    search_help_text = "Part of the id or the display name"
    ordering = ("external_id",)
    add_fieldsets = ((None, {"fields": ("display_tenant", "external_id", *PROFILE, "attribute_rows", "opened_for")}),)
    fieldsets = (
        ("Profile", {"fields": (*PROFILE, "attribute_rows")}),
        ("About", {"fields": (ABOUT[:2], ABOUT[2:])}),
    )
    readonly_fields = (*ABOUT, "display_tenant")

    def get_object_pages(self) -> Iterable[ObjectPage]:
        return (*panels.pages(), EXPORT, ANONYMIZE, DELETE)

    def declared(self) -> Iterator[Declared]:
        yield from super().declared()
        yield from panels.declared()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._may(request, "delete", obj)

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Participant]":
        return super().get_queryset(request).select_related("tenant")

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Participant | None:
        row: Participant | None = super().get_object(request, object_id, from_field)
        if row is not None:
            as_if_settled([row], now=timezone.now())
        return row

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        changelist = super().get_changelist_instance(request)
        as_if_settled(changelist.result_list, now=timezone.now())
        return changelist

    def get_search_results(
        self, request: HttpRequest, queryset: "QuerySet[Participant]", search_term: str
    ) -> tuple["QuerySet[Participant]", bool]:
        return (queryset.filter(selectors.name_filter(search_term)) if search_term else queryset), False

    def object_title(self, row: Participant) -> str:
        return row.display_name or row.external_id

    def object_facts(self, row: Participant) -> list[tuple[str, Any]]:
        seen = [("first seen", row.first_seen_at), ("last seen", row.last_seen_at)]
        anonymised = [("anonymised", row.anonymized_at)] if row.anonymized_at else []
        return [("participant id", row.external_id), ("status", self.display_status(row)), *seen, *anonymised]

    def object_links(self, request: HttpRequest, row: Participant) -> Iterable[Link]:
        history = reverse("admin:participants_participant_history", args=[row.pk])
        yield from panels.links(row, panels.visible_panels(request))
        yield Link("Audit trail", history, "history", in_menu=True)
        yield from super().object_links(request, row)
        if self.has_change_permission(request, row):
            yield Link("Edit profile", f"?{EDIT}=1", "edit")

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        """Show the participant at a glance. The form of the profile is a page of its own, with `EDIT` in the query."""
        row = kwargs.get("obj")
        if row is None or EDIT in request.GET or request.method == "POST":
            return super().render_change_form(request, context | WITHOUT_BUTTONS, *args, **kwargs)
        shown, zone = panels.visible_panels(request), row.tenant.timezone
        with timezone.override(zone):
            about = [_points_box(row), *panels.boxes(row, shown, request.user), self._profile_box(request, row)]
            context |= {"zone": zone, "boxes": about, "timeline": timeline(request, row, shown)}
        page: Any = super().render_change_form(request, context | {"title": self.object_title(row)}, *args, **kwargs)
        page.template_name = "admin/participants/participant.html"
        return page

    def _profile_box(self, request: HttpRequest, row: Participant) -> Box:
        words = words_by_label(self, request, row)
        return Box("Profile", rows=[[label.capitalize(), value] for label, value in words.items()])

    def response_post_save_change(self, request: HttpRequest, obj: Participant) -> HttpResponseRedirect:
        """Django's hook. It would lead to the list."""
        return HttpResponseRedirect(reverse("admin:participants_participant_change", args=[obj.pk]))

    def save_model(self, request: HttpRequest, obj: Participant, form: Any, change: bool) -> None:  # noqa: FBT001 - Django's signature
        changes = form.changes()
        if change and not changes:
            return
        save = services.update if change else services.register
        saved = save(tenant=form.tenant, external_id=obj.external_id, changes=changes, now=timezone.now())
        replace_fields(obj, saved)

    @display("balance", ordering="balance")
    def display_balance(self, participant: Participant) -> str:
        return f"{participant.balance:,}"

    @display("earned", ordering="total_earned")
    def display_earned(self, participant: Participant) -> str:
        return f"{participant.total_earned:,}"

    @display("status", ordering="is_active", label={"active": "success", "inactive": "warning"})
    def display_status(self, participant: Participant) -> str:
        return "active" if participant.is_active else "inactive"
