"""Events over HTTP, with none, one, fifty and five hundred rules, against the framework's floor, on a durable PostgreSQL."""

from collections.abc import Iterator, Mapping
from random import Random
from typing import Any

from bench import product
from bench.awards import PEOPLE, Case, award, posts, print_conditions, rates

EVENTS = "/api/v1/gamify/events"
NAME = "purchase_completed"
POINT = {"type": "points", "amount": 1}
DEAR = {"condition": {"field": "amount", "operator": "gte", "value": 1_000_000}}

_random = Random(1)

# Slug of a tenant, what it is called in the table, and its rules: (how many, of which event, under which condition).
SETUPS = (
    ("none", "no rules", ()),
    ("others", "500 rules of other events", ((500, "other_{}", None),)),
    ("nearly", "500 rules that do not match", ((500, NAME, DEAR),)),
    ("one-of-one", "1 rule, which matches", ((1, NAME, None),)),
    ("one-of-50", "50 rules, 1 matches", ((49, "other_{}", None), (1, NAME, None))),
    ("one-of-500", "500 rules, 1 matches", ((499, "other_{}", None), (1, NAME, None))),
    ("ten-of-500", "500 rules, 10 match", ((490, "other_{}", None), (10, NAME, None))),
)


def measure(*, seconds: float, rounds: int) -> None:
    with (
        product.installed() as (server, environment),
        product.served_beside_floor(environment) as (port, floor_port),
    ):
        print_conditions(server, rounds)
        cases = [_case(environment, port, *setup) for setup in SETUPS]
        floor_key = product.new_key(environment, "floor")
        floor = Case("floor: POST, key, serializer", floor_port, posts("/floor", award, floor_key))
        _report(rates([floor, *cases], seconds=seconds, rounds=rounds))


def _case(
    environment: Mapping[str, str], port: int, slug: str, name: str, rules: tuple[tuple[int, str, Any], ...]
) -> Case:
    key = product.new_key(environment, slug)
    named = ({"code": f"r{number}", "name": f"R {number}", **rule} for number, rule in enumerate(_rules(rules)))
    product.define(port, environment, slug, "rules", *named)
    return Case(name, port, posts(EVENTS, _event, key))


def _rules(groups: tuple[tuple[int, str, Any], ...]) -> Iterator[dict[str, Any]]:
    for number, event, expression in groups:
        for each in range(number):
            yield {"when": {"event_types": [event.format(each)], "expression": expression}, "then": [POINT]}


def _event() -> dict[str, object]:
    person, key = f"user_{_random.randrange(PEOPLE)}", f"{_random.getrandbits(64):x}"
    properties = {"amount": 49.99, "currency": "USD", "product_id": "prod_abc"}
    return {"participant_id": person, "event_name": NAME, "properties": properties, "idempotency_key": key}


def _report(measured: Mapping[Case, float]) -> None:
    floor, none = list(measured.values())[:2]
    for case, rate in measured.items():
        print(f"  {case.name:<34} {rate:>8.0f}/s  {rate / floor:>6.2f} × floor  {rate / none:>6.2f} × no rules")
