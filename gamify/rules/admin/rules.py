"""Rules: the list and the pages."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import urlencode

from gamify.facts.admin.listening import ListeningAdmin
from gamify.facts.admin.seen import Mention, fields_of
from gamify.facts.admin.words import expression_in_words
from gamify.rules import services
from gamify.rules.admin import trying, what_if
from gamify.rules.admin.conditions import conditions_of
from gamify.rules.admin.forms import RuleForm
from gamify.rules.admin.words import grants_in_words, limits_in_words, rule_in_words, triggers_in_words
from gamify.rules.definitions import LIMITS, model_values
from gamify.rules.models import Rule
from gamify.rules.selectors import findings, static_findings
from participants.admin.display import display
from participants.admin.empty import WhenEmpty
from participants.admin.pages import Link
from participants.admin.picker import picked_tenant
from participants.models import Tenant

ABOUT_LIMITS = "How often it may fire for one participant. Firings that were counted stay counted when you change this."
LEVELS = {"error": "danger", "warning": "warning", "note": "info"}


@admin.register(Rule)
class RuleAdmin(ListeningAdmin):
    when_empty = WhenEmpty(
        "There is no rule yet. Add one to say what events give.",
        "Add a rule",
        "rules_rule_add",
    )
    noun, form = services.NOUN, RuleForm
    columns = ("display_when", "display_grants", "display_limits", "display_findings")
    ordering = ("-priority", "code")
    change_form_outer_after_template = "admin/rules/findings.html"
    about_activating = "They react from the next event on."
    about_deactivating = (
        "They no longer react. What participants were given stays, and so do the firings that count towards limits."
    )

    def get_list_display(self, request: HttpRequest) -> Any:
        return ("name", "code", "display_status", *self.columns, "priority")

    def own_fieldsets(self, obj: Any) -> Any:
        return (
            ("When", {"fields": ("event_types", "changes", *_conditions(obj))}),
            ("Then", {"fields": ("grants",)}),
            ("How often", {"fields": LIMITS, "description": ABOUT_LIMITS}),
            ("In use", {"fields": ("is_active", "starts_at", "ends_at", "priority")}),
        )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return (*super().get_readonly_fields(request, obj), "display_expression")

    def get_urls(self) -> list[URLPattern]:
        return [
            path("try/", self.own_page(self.try_view), name="rules_rule_try"),
            path("<path:object_id>/what_if/", self.own_page(self.what_if_view), name="rules_rule_what_if"),
            *super().get_urls(),
        ]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return trying.page(request, tenant=_tenant(request), context=context)

    def what_if_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return what_if.page(request, row, tenant=_tenant(request), context=context)

    def object_links(self, request: HttpRequest, row: Rule) -> Iterable[Link]:
        event = urlencode({"event": row.event_types[0]} if row.event_types and row.event_types[0] != "*" else {})
        yield Link("Try an event", f"{reverse('admin:rules_rule_try')}?{event}", "experiment")
        yield Link("What if", reverse("admin:rules_rule_what_if", args=[row.pk]), "history")
        yield from super().object_links(request, row)

    def render_change_form(self, request: HttpRequest, context: Any, *args: Any, **kwargs: Any) -> Any:
        if row := kwargs.get("obj"):
            context["findings"] = findings(_tenant(request), now=timezone.now(), rules=[row])
        return super().render_change_form(request, context, *args, **kwargs)

    def get_changelist_instance(self, request: HttpRequest) -> Any:
        """Attach the findings to each row, and the tenant. One query finds them for all rows."""
        changelist, tenant = super().get_changelist_instance(request), _tenant(request)
        found = static_findings(tenant, now=timezone.now())
        for row in changelist.result_list:
            row.tenant = tenant
            row.findings = [each for each in found if each.rule.pk == row.pk]
        return changelist

    def mentions(self, row: Rule) -> Iterable[Mention]:
        if row.event_types:
            properties = [spec["field"] for spec in row.grants or () if spec.get("field")]
            yield Mention(row.event_types, [*fields_of(row.expression), *properties])

    def in_words(self, row: Rule) -> str:
        return rule_in_words(row)

    def to_fields(self, data: Mapping[str, Any], *, tenant: Tenant) -> Mapping[str, Any]:
        return model_values(data)

    def save_new(self, *, tenant: Tenant, data: Mapping[str, Any], now: datetime) -> Rule:
        return services.create_rule(tenant=tenant, data=self.to_fields(data, tenant=tenant), now=now)

    def save_changes(self, row: Rule, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Rule:
        return self.save_settings(row, tenant=tenant, changes=self.to_fields(changes, tenant=tenant), now=now)

    def save_settings(self, row: Rule, *, tenant: Tenant, changes: Mapping[str, Any], now: datetime) -> Rule:
        return services.update_rule(row, tenant=tenant, changes=changes, now=now)

    @display("when")
    def display_when(self, rule: Rule) -> str:
        return triggers_in_words(rule)

    @display("gives")
    def display_grants(self, rule: Rule) -> str:
        return grants_in_words(rule)

    @display("at most")
    def display_limits(self, rule: Rule) -> str:
        return limits_in_words(rule) or "–"

    @display("check", label=LEVELS)
    def display_findings(self, rule: Any) -> str:
        """The highest level found. The rule's page lists all findings, and checks the grants as well."""
        levels = {found.level.value for found in getattr(rule, "findings", ())}
        return next((level for level in LEVELS if level in levels), "–")

    @display("Only where")
    def display_expression(self, rule: Rule) -> str:
        return expression_in_words(rule.expression or {})


def _tenant(request: HttpRequest) -> Tenant:
    tenant = picked_tenant(request)
    assert tenant is not None, "a page about a tenant's rows needs the tenant"  # noqa: S101
    return tenant


def _conditions(rule: Rule | None) -> Iterable[str]:
    """Return the editor of conditions. If rows cannot express the expression, return its text and a switch that removes it."""
    is_more = rule is not None and rule.expression is not None and conditions_of(rule.expression) is None
    return ("display_expression", "drop_expression") if is_more else ("conditions",)
