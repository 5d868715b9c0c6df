"""A decision trace as a part of a page: which definitions listened, what each condition found, what was given and what was refused."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

from gamify.facts.admin.words import condition_in_words
from gamify.facts.models import PRUNED, Event
from participants.actors import ActorKind
from participants.admin.actors import ActorJson, ActorWords
from participants.admin.words import value_in_words
from participants.models import Tenant

NO_LISTENERS = "None of your definitions listens to it."
TOO_OLD = "The trace was deleted because the event is too old."
ANONYMIZED = "The trace was deleted when the participant was anonymised."


def explanation_of(event: Event, reader: Any) -> SafeString | str:
    """Render the trace of a stored event, or say why there is none."""
    if event.trace == PRUNED and event.participant.anonymized_at is not None:
        return ANONYMIZED
    return render_trace(event.trace, tenant=event.tenant, reader=reader)


def render_trace(trace: Mapping[str, Any] | None, *, tenant: Tenant, reader: Any) -> SafeString | str:
    """Render a trace of `gamify.facts.services.tracing` as HTML, or say why there is none.

    Definitions are links for a `reader` who may open their pages, so a rule that did not match can be mended from here.
    """
    if trace is None:
        return NO_LISTENERS
    if trace == PRUNED:
        return TOO_OLD
    words = ActorWords(tenant, reader, map(_actor, _sources(trace)))
    context = {
        "facts": [_fact(fact, words) for fact in trace["facts"]],
        "granted": [_granted(given, words) for given in trace["granted"]],
        "refused": [{**refused, "source": words.words(_actor(refused["source"]))} for refused in trace["refused"]],
        "cut": trace["cut"],
    }
    return SafeString(render_to_string("admin/facts/trace.html", context))


def _sources(trace: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """Yield the definitions of the trace, each with its type and its code."""
    for fact in trace["facts"]:
        yield from fact["heard"]
    yield from (each["source"] for each in (*trace["granted"], *trace["refused"]))


def _actor(source: Mapping[str, Any]) -> ActorJson:
    return {
        "kind": ActorKind.DEFINITION,
        "id": f"{source['type']}:{source['code']}",
        "label": f"{source['type']} {source['code']}",
    }


def _fact(fact: Mapping[str, Any], words: ActorWords) -> dict[str, Any]:
    return {**fact, "heard": [_entry(entry, words) for entry in fact["heard"]]}


def _entry(entry: Mapping[str, Any], words: ActorWords) -> dict[str, Any]:
    conditions = list(_conditions(entry.get("conditions", ())))
    return {
        "source": words.words(_actor(entry)),
        "version": entry.get("version"),
        "result": _words(entry["result"]),
        "note": entry.get("note"),
        "conditions": conditions,
    }


def _conditions(conditions: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for condition in conditions:
        found = value_in_words(condition["actual"]) if "actual" in condition else "nothing"
        words = condition_in_words({**condition, "value": condition["expected"]})
        yield {"words": words, "found": found, "holds": condition["holds"]}


def _granted(given: Mapping[str, Any], words: ActorWords) -> dict[str, str]:
    amount = f"{given['amount']:,} " if given["type"] == "points" else ""
    what = given["name"].lower() if given["type"] == "points" else f"{_words(given['type'])} {given['name']}"
    return {"what": f"{amount}{what}", "source": words.words(_actor(given["source"]))}


def _words(name: str) -> str:
    return name.replace("_", " ")
