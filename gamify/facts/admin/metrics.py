"""The console's fields for a metric and its selector, shared by badges and leaderboards."""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, ClassVar

from rest_framework.serializers import Serializer

from gamify.facts.admin.listening import ListeningAdmin
from gamify.facts.admin.seen import EVENTS, PROPERTIES, Mention, fields_of
from gamify.facts.services import SELECTOR_FIELDS, Metric
from participants.admin.conditions import ConditionsField
from participants.admin.definitions import DefinitionForm
from participants.admin.fields import LineField
from participants.errors import FieldError
from participants.models import Tenant
from participants.registries import Registry

SELECTOR = tuple(f"selector_{name}" for name in SELECTOR_FIELDS)


def selector_names(path: str) -> dict[str, str]:
    """Form fields by their path in a body that has the selector at `path`."""
    return {f"{path}.{name}": f"selector_{name}" for name in SELECTOR_FIELDS}


class MetricForm(DefinitionForm):
    """The form of a definition with a metric. Subclasses add the field `metric` and say where the body has the selector."""

    unset_words = {"selector_event_name": "any event", "selector_filter": "every such event"}

    selector_event_name = LineField(
        label="Event", suggests=EVENTS, help_text="Which events count. Enter * for all events."
    )
    selector_field = LineField(
        label="Property",
        suggests=PROPERTIES,
        help_text="The property of the event that is added up, such as amount or order.total.",
    )
    selector_filter = ConditionsField(
        label="Only events where",
        required=False,
        suggests=PROPERTIES,
        help_text="All conditions must hold. Without conditions every such event counts.",
    )
    selector_streak_code = LineField(label="Streak", help_text="The code of the streak.")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        stored = self.stored_selector()
        self.initial.update({f"selector_{name}": stored[name] for name in SELECTOR_FIELDS if name in stored})

    def stored_selector(self) -> Mapping[str, Any]:
        """The selector of the definition that is edited; its other keys are ignored."""
        raise NotImplementedError

    def tenant_problem(self, tenant: Tenant, data: Mapping[str, Any]) -> FieldError | None:
        """What is wrong with valid `data` in this tenant, such as the code of a streak that does not exist."""
        raise NotImplementedError

    def selector(self) -> dict[str, Any]:
        values = {name: self.cleaned_data.get(f"selector_{name}") for name in SELECTOR_FIELDS}
        return {name: value for name, value in values.items() if value}

    def _bound_body(self) -> Serializer[Any]:
        bound = super()._bound_body()
        if bound.is_valid() and self.tenant:
            problem = self.tenant_problem(self.tenant, bound.validated_data)
            self._place([problem] if problem else [])
        return bound


class MetricAdmin(ListeningAdmin):
    """Pages that show only those selector fields that the chosen metric has."""

    metrics: ClassVar[Registry[Metric]]

    @cached_property
    def conditional_fields(self) -> dict[str, str]:
        """Not a class attribute, because the console is loaded before all metrics are registered."""
        return {f"selector_{name}": self._condition(name) for name in SELECTOR_FIELDS}

    def selector_of(self, row: Any) -> Mapping[str, Any]:
        """Return the stored selector of a definition. Its other keys are ignored."""
        raise NotImplementedError

    def mentions(self, row: Any) -> Iterable[Mention]:
        selector = self.selector_of(row)
        fields = [selector["field"]] if selector.get("field") else []
        if events := selector.get("event_name"):
            yield Mention([events], [*fields, *fields_of(selector.get("filter"), is_filter=True)])

    def _condition(self, field: str) -> str:
        names = [name for name, metric in self.metrics.items() if field in metric.selector_fields]
        return " || ".join(f"metric == '{name}'" for name in names)
