"""Programmes that Hypothesis makes up: every kind of definition, with references between them; valid ones and faulty ones."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from gamify_project.programme.yaml import write_yaml

Content = dict[str, Any]

texts = st.text(st.characters(codec="utf-8", exclude_categories=["C", "Z"]), min_size=1, max_size=12)
words = st.sampled_from(["buy", "login", "share"])
factors = st.sampled_from([1.5, 2, 3])


def some(*options: Any) -> st.SearchStrategy[Any]:
    return st.sampled_from(options)


def definition(code: str, **fields: Any) -> st.SearchStrategy[Content]:
    """A definition with this code, and each optional field (a `some(None, …)`) left out if it is None."""
    about = {"code": st.just(code), "name": texts, "description": st.none() | texts}
    return st.fixed_dictionaries({**about, **fields}).map(
        lambda body: {name: value for name, value in body.items() if value is not None}
    )


def listed(prefix: str, make: Any, most: int = 3) -> st.SearchStrategy[list[Content]]:
    return st.integers(1, most).flatmap(
        lambda number: st.tuples(*[make(f"{prefix}_{n}") for n in range(number)]).map(list)
    )


grants = st.lists(
    some(
        {"type": "points", "amount": 10},
        {"type": "points", "field": "amount", "factor": 1.5, "max": 50},
        {"type": "badge", "code": "badge_0"},
        {"type": "tier", "code": "tier_0"},
        {"type": "reward", "code": "reward_0"},
        {"type": "streak_tick", "code": "streak_0"},
    ),
    min_size=1,
    max_size=3,
)
conditions = some(
    None,
    {"type": "count", "min": 2},
    {"type": "sum", "field": "amount", "min": 12.5},
    {"type": "distinct", "field": "sku", "min": 2},
)
expressions = some(
    None,
    {"condition": {"field": "plan", "operator": "in", "value": ["pro", "1"]}},
    {"not": {"condition": {"field": "participant.beta", "operator": "exists", "value": False}}},
)


def boost(code: str) -> st.SearchStrategy[Content]:
    return definition(
        code, multiplier=factors, starts_at=some(None, "2026-12-01T18:00:00Z"), is_active=some(None, False)
    )


def tier(code: str) -> st.SearchStrategy[Content]:
    level = int(code.rpartition("_")[2]) + 1
    return definition(
        code,
        level=st.just(level),
        criteria_config=st.just({"min_points": 100 * level}),
        points_multiplier=some(None, 1.25),
        benefits=some(None, ["A mug", "Yes: more"]),
    )


def badge(code: str) -> st.SearchStrategy[Content]:
    criteria = some(
        None,
        {"metric": "total_earned", "min": 5},
        {"metric": "streak_count", "min": 7, "streak_code": "streak_0"},
        {"metric": "event_count", "min": 3, "event_name": "buy", "filter": {"plan": "pro"}},
    )
    return definition(code, rarity=some(None, "epic"), criteria=criteria, display_order=some(None, 3))


def objective(code: str, prerequisites: Any) -> st.SearchStrategy[Content]:
    needed = {"prerequisites": prerequisites, "condition": conditions, "expression": expressions}
    about = {"code": st.just(code), "label": texts, "event_types": st.lists(words, min_size=1, unique=True)}
    return st.fixed_dictionaries({**about, **needed}).map(
        lambda body: {name: value for name, value in body.items() if value is not None}
    )


def challenge(code: str) -> st.SearchStrategy[Content]:
    objectives = st.tuples(objective("first", st.none()), objective("second", some(None, ["first"]))).map(list)
    milestones = some(None, [{"objectives": 1, "grants": [{"type": "badge", "code": "badge_0"}]}])
    return definition(code, objectives=objectives, milestones=milestones, completion_grants=st.none() | grants)


def leaderboard(code: str) -> st.SearchStrategy[Content]:
    ranked = some({"metric": "points_earned"}, {"metric": "streak_current", "selector": {"streak_code": "streak_0"}})
    return st.tuples(definition(code, timezone=some(None, "Europe/Berlin")), ranked).map(lambda pair: pair[0] | pair[1])


def rule(code: str) -> st.SearchStrategy[Content]:
    when = st.tuples(st.lists(words, min_size=1, unique=True), expressions).map(
        lambda pair: {"event_types": pair[0]} | ({} if pair[1] is None else {"expression": pair[1]})
    )
    limits = some(None, {"ever": 1}, {"per_day": 3, "cooldown_seconds": 60})
    return definition(code, when=when, then=grants, limits=limits, priority=some(None, -2, 5))


def streak(code: str) -> st.SearchStrategy[Content]:
    milestones = some(None, [{"threshold": 7, "reward_code": "reward_0", "repeatable": True}, {"threshold": 30}])
    window = some(
        {"period": "daily"},
        {"type": "calendar", "period": "weekly", "timezone": "Asia/Tokyo"},
        {"type": "rolling", "duration_seconds": 129600},
    )
    return definition(
        code,
        event_types=st.lists(words, min_size=1, unique=True),
        window=window,
        milestones=milestones,
        status=some(None, "paused"),
    )


def reward(code: str) -> st.SearchStrategy[Content]:
    double = {"type": "points_multiplier", "config": {"multiplier": 2, "duration_hours": 24}}  # its type never changes
    kind = st.just(double if code == "reward_1" else {"type": "physical"})
    more = {"points_cost": some(None, 500), "has_inventory": some(None, True), "is_active": some(None, False)}
    return st.tuples(definition(code, **more), kind).map(lambda pair: pair[0] | pair[1])


webhook = st.fixed_dictionaries(
    {
        "url": some("https://hooks.example.com/a", "https://hooks.example.com/b"),
        "event_types": some(["*"], ["streak.*"]),
    }
)

programmes: st.SearchStrategy[Content] = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "boosts": listed("boost", boost),
        "tiers": listed("tier", tier),
        "badges": listed("badge", badge),
        "challenges": listed("challenge", challenge),
        "leaderboards": listed("leaderboard", leaderboard, 2),
        "rules": listed("rule", rule),
        "webhooks": st.lists(webhook, min_size=1, max_size=3),
        "streaks": listed("streak", streak),
        "rewards": listed("reward", reward),
    }
)


# --- programmes with faults -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Faulty:
    """A programme with faults, and the paths at which they must be reported."""

    content: Content
    paths: frozenset[str]

    @property
    def text(self) -> str:
        return write_yaml(self.content)


def unknown_key(content: Content, plural: str) -> str:
    content[plural][0]["colour_of_it"] = "x"
    return f"{plural}.0.colour_of_it"


def wrong_type(content: Content, plural: str) -> str:
    name = "url" if plural == "webhooks" else "name"
    content[plural][0][name] = {"is": ["no", "text"]}
    return f"{plural}.0.{name}"


def nothing_to_identify_it(content: Content, plural: str) -> str:
    name = "url" if plural == "webhooks" else "code"
    del content[plural][0][name]
    return f"{plural}.0.{name}"


def code_twice(content: Content, plural: str) -> str:
    content[plural].append(deepcopy(content[plural][0]))
    return "" if plural == "webhooks" else f"{plural}.{len(content[plural]) - 1}.code"


def reference_to_nothing(content: Content, plural: str) -> str:
    rule: Content = content["rules"][0]
    rule["then"] = [*rule["then"], {"type": "badge", "code": "no_such_badge"}]
    return f"rules.0.then.{len(rule['then']) - 1}.code"


def circle_of_objectives(content: Content, plural: str) -> str:
    first, second = content["challenges"][0]["objectives"]
    first["prerequisites"], second["prerequisites"] = ["second"], ["first"]
    return "challenges.0.objectives.0.prerequisites.0"


def circle_of_rules(content: Content, plural: str) -> str:
    point = [{"type": "points", "amount": 1}]
    content["rules"].append({"code": "round", "name": "Round", "when": {"changes": ["points.awarded"]}, "then": point})
    return f"rules.{len(content['rules']) - 1}.then"


FAULTS = (unknown_key, wrong_type, nothing_to_identify_it, code_twice)
FURTHER = {"rules": (reference_to_nothing, circle_of_rules), "challenges": (circle_of_objectives,)}
"""Faults that only definitions of these kinds can have."""


@st.composite
def faulty_programmes(draw: st.DrawFn) -> Faulty:
    """A valid programme in which something was made wrong in some kinds of definitions."""
    content = deepcopy(draw(programmes))
    kinds = draw(st.lists(st.sampled_from([name for name in content if name != "version"]), unique=True, max_size=5))
    made = {draw(st.sampled_from([*FAULTS, *FURTHER.get(plural, ())]))(content, plural) for plural in kinds}
    paths = made - {""} or {unknown_key(content, "boosts")}
    return Faulty(content, frozenset(paths))


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The paths of all values inside `value`."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(inner for name, part in parts for inner in places(part, (*path, name)))]


odd = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=5), inner, max_size=2),
    max_leaves=4,
)


@st.composite
def odd_programmes(draw: st.DrawFn) -> str:
    """A programme in which some values were replaced by anything that YAML can say."""
    content = deepcopy(draw(programmes))
    for path in draw(st.lists(st.sampled_from(places(content)[1:]), min_size=1, max_size=4)):
        put(content, path, draw(odd))
    return write_yaml(content)


def put(content: Any, path: tuple[Any, ...], value: Any) -> None:
    """Replace the value at `path`, if there still is one."""
    for name in path[:-1]:
        try:
            content = content[name]
        except (KeyError, IndexError, TypeError):
            return
    is_there = (
        path[-1] in content
        if isinstance(content, dict)
        else isinstance(content, list) and path[-1] in range(len(content))
    )
    if is_there:
        content[path[-1]] = value
