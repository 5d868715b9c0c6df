"""The calls of the API that would create or change a definition, for the page "As curl". They are derived from the routes."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from shlex import quote
from typing import Any

from django.db.models import Model
from rest_framework.utils.encoders import JSONEncoder

from gamify_project.urls import gamify
from participants.api.definitions import DefinitionViewSet
from participants.models import Definition
from streaks.models import Streak
from streaks.selectors.configs import config_of

CREATE = "Create it in another tenant, such as the sandbox"
KEY = "YOUR_ADMIN_KEY"
GAMIFY, PHOENIX = "/api/v1/gamify/", "/v1/"


@dataclass(frozen=True)
class Call:
    """One call: what it does, and its parts."""

    title: str
    method: str
    path: str
    body: Mapping[str, Any]

    def as_curl(self, site: str) -> str:
        body = json.dumps(self.body, cls=JSONEncoder, indent=2, ensure_ascii=False)
        lines = [
            f"curl -X {self.method} {quote(site + self.path)}",
            f"-H {quote(f'X-API-Key: {KEY}')}",
            "-H 'Content-Type: application/json'",
            f"-d {quote(body)}",
        ]
        return " \\\n  ".join(lines)


def calls_for(row: Definition) -> Iterator[Call]:
    """Yield the calls for a stored definition, the one that creates it last. The Gamify dialect cannot express every streak."""
    viewset, route = _viewsets()[type(row)]
    body = body_of(viewset, row)
    changes = {name: value for name, value in body.items() if name != "code"}
    yield Call("Change it", "PATCH", f"{GAMIFY}{route}/{row.pk}", changes)
    if isinstance(row, Streak):
        yield from _phoenix_calls(row)
        return
    given = {name: value for name, value in body.items() if value is not None}
    yield Call(CREATE, "POST", f"{GAMIFY}{route}", given)


def _phoenix_calls(row: Streak) -> Iterator[Call]:
    """Yield the calls of the dialect that can express every streak. There the code is made from the name."""
    config = config_of(row, tenant_zone=row.tenant.timezone)
    path = f"{PHOENIX}tenants/{row.tenant.slug}/streaks"
    yield Call("Change its periods, conditions and milestones", "PATCH", f"{path}/{row.pk}", {"config": config})
    described = {"name": row.name} | ({"description": row.description} if row.description else {})
    yield Call(CREATE, "POST", path, {**described, "config": config})


def body_of(viewset: type[DefinitionViewSet], row: Definition) -> dict[str, Any]:
    """Return the definition as the body that would create it: the fields of the answer that the body has, too."""
    assert viewset.serializer_class is not None, "every definition has an answer"  # noqa: S101
    answer = viewset.serializer_class(row).data
    return {name: answer[name] for name in map(str, viewset.create_body().fields) if name in answer}


@cache
def _viewsets() -> Mapping[type[Model], tuple[type[DefinitionViewSet], str]]:
    """Return the viewset of each kind of definition, with the path of its list."""
    routes = [each for part in gamify for each in getattr(part, "url_patterns", [])]
    found = [(getattr(each.callback, "cls", None), str(each.pattern)) for each in routes if hasattr(each, "callback")]
    return {
        viewset.model: (viewset, route)
        for viewset, route in found
        if isinstance(viewset, type) and issubclass(viewset, DefinitionViewSet) and "<" not in route
    }
