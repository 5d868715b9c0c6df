"""The base of the pages of definitions that listen to events: suggestions, warnings, and the page that tries an event."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, ClassVar

from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse

from gamify.facts.admin import trying
from gamify.facts.admin.seen import EVENTS, PROPERTIES, Mention, SeenEvents, seen_events, warnings_of
from gamify.facts.engine.fields import property_paths
from participants.admin.definitions import DefinitionAdmin
from participants.admin.pages import Link


class ListeningAdmin(DefinitionAdmin):
    """Pages of definitions that listen to events. Subclasses implement `mentions`.

    `in_use`: the fields of a definition that is in use, with which a draft is tried. None: trying says nothing about it.
    """

    in_use: ClassVar[Mapping[str, Any] | None] = {"is_active": True}

    def mentions(self, row: Any) -> Iterable[Mention]:
        """Return the names of events and properties in the definition."""
        raise NotImplementedError

    def get_urls(self) -> list[URLPattern]:
        if self.in_use is None:
            return super().get_urls()
        name = f"{self.opts.app_label}_{self.opts.model_name}_would_count"
        return [
            path("<path:object_id>/would_count/", self.own_page(self.would_count_view), name=name),
            *super().get_urls(),
        ]

    def object_links(self, request: HttpRequest, row: Any) -> Iterable[Link]:
        if self.in_use is not None:
            name = f"admin:{self.opts.app_label}_{self.opts.model_name}_would_count"
            yield Link("Would it count?", reverse(name, args=[row.pk]), "experiment")
        yield from super().object_links(request, row)

    def would_count_view(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = self.get_object(request, unquote(object_id))
        if row is None:
            return self._get_obj_does_not_exist_redirect(request, self.opts, object_id)
        assert self.in_use is not None, "otherwise there is no route"  # noqa: S101
        context = {**self.admin_site.each_context(request), "opts": self.opts}
        return trying.page(request, row, noun=self.noun, in_use=self.in_use, context=context)

    def warnings(self, row: Any) -> Iterable[str]:
        seen = self._seen(row)
        if not seen.names:
            return  # nothing has come yet, so every name would be warned of
        for mention in self.mentions(row):
            yield from warnings_of(mention, seen)

    def suggestions(self, row: Any) -> Mapping[str, Sequence[str]]:
        seen, names = self._seen(row), [name for mention in self.mentions(row) for name in mention.events]
        paths = {path for properties in seen.properties_of(names) for path in property_paths(properties)}
        return {EVENTS: sorted(seen.names), PROPERTIES: sorted(paths)}

    def _seen(self, row: Any) -> SeenEvents:
        """Read once for a row: warnings and suggestions both need it."""
        memo = vars(row)
        if "seen_events" not in memo:
            memo["seen_events"] = seen_events(row.tenant)
        seen: SeenEvents = memo["seen_events"]
        return seen
