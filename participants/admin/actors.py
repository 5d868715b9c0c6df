"""Actors in words, with links to their pages: the colleague, the key, the rule."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils.html import format_html

from participants.actors import ActorKind
from participants.admin.access import link, may_open
from participants.admin.definitions import DefinitionAdmin
from participants.models import ApiKey, HmacSecret, Tenant

KIND_WORDS: Mapping[str, str] = {
    ActorKind.API_KEY: "API key",
    ActorKind.STAFF: "staff",
    ActorKind.DEFINITION: "definition",
    ActorKind.SWEEP: "task",
    ActorKind.IMPORT: "import",
    ActorKind.PARTNER: "partner",
    ActorKind.COMMAND: "command",
}
NOT_KNOWN = "not known"

ActorJson = Mapping[str, str]
"""`{kind, id, label}`, as in answers."""


class ActorWords:
    """The actors of one page in words. It finds the definitions among them with one query for each kind of definition."""

    def __init__(self, tenant: Tenant, reader: Any, actors: Iterable[ActorJson | None]) -> None:
        self._tenant, self._reader = tenant, reader
        self._definitions = self._definition_ids(actor for actor in actors if actor is not None)

    def words(self, actor: ActorJson | None) -> str:
        """Return such as "API key shop" or "rule big_spender", with a link if the reader may open its page."""
        if actor is None:
            return NOT_KNOWN
        if actor["kind"] == ActorKind.DEFINITION:
            return self._definition(actor)
        model, label = _PAGES.get(actor["kind"]), actor["label"]
        name = label if model is None else link(label, model, actor["id"], self._reader)
        return format_html("{} {}", KIND_WORDS.get(actor["kind"], actor["kind"]), name)

    def _definition(self, actor: ActorJson) -> str:
        noun, _, code = actor["id"].partition(":")
        found = self._definitions.get((noun, code))
        return actor["label"] if found is None else link(actor["label"], *found, self._reader)

    def _definition_ids(self, actors: Iterable[ActorJson]) -> Mapping[tuple[str, str], tuple[type[Model], Any]]:
        codes: defaultdict[str, set[str]] = defaultdict(set)
        for actor in actors:
            if actor["kind"] == ActorKind.DEFINITION:
                noun, _, code = actor["id"].partition(":")
                codes[noun].add(code)
        models = {noun: model for noun, model in _models_by_noun().items() if may_open(self._reader, model)}
        return {
            (noun, code): (models[noun], pk)
            for noun in codes.keys() & models.keys()
            for code, pk in self._ids(models[noun], codes[noun])
        }

    def _ids(self, model: type[Model], codes: Iterable[str]) -> Iterable[tuple[str, Any]]:
        rows = model._default_manager.filter(tenant_id=self._tenant.pk, code__in=codes)
        return rows.order_by().values_list("code", "pk")


def _models_by_noun() -> Mapping[str, type[Model]]:
    """Return the models of all kinds of definitions that have pages, by the noun in the ids of their actors."""
    registered = filter(admin.site.is_registered, apps.get_models())
    pages = (admin.site.get_model_admin(model) for model in registered)
    return {page.noun: page.model for page in pages if isinstance(page, DefinitionAdmin)}


_PAGES: Mapping[str, type[Model]] = {
    ActorKind.API_KEY: ApiKey,
    ActorKind.PARTNER: HmacSecret,
    ActorKind.STAFF: get_user_model(),
}
