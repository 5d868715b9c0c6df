"""Error responses in the dialect of their path. The same code renders the real answers, so they cannot differ."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import count

from gamify_project import dialects
from gamify_project.dialects import PHOENIX_BASE, Problem
from gamify_project.openapi.components import Document

_SUCCESSES = {"200", "201", "202"}


def error_responses(path: str, problems: Iterable[Problem]) -> Document:
    """Return a response for each status of `problems`, with the error codes and an example of each body."""
    by_status: dict[int, list[Problem]] = defaultdict(list)
    for problem in problems:
        is_phoenix = dialects.is_under(path, PHOENIX_BASE)
        by_status[dialects.phoenix_status(problem) if is_phoenix else problem.status].append(problem)
    return {str(status): _response(path, status, found) for status, found in sorted(by_status.items())}


def _response(path: str, status: int, problems: Sequence[Problem]) -> Document:
    codes = dict.fromkeys(f"`{dialects.wire_code(problem, path=path)}`" for problem in problems)
    content = {"schema": {"$ref": f"#/components/schemas/{_component(path)}"}, "examples": _examples(path, problems)}
    return {
        "description": f"{'Refused' if status < 500 else 'Failed'}: {', '.join(codes)}.",
        "content": {"application/json": content},
    }


def _component(path: str) -> str:
    return "PhoenixError" if dialects.is_under(path, PHOENIX_BASE) else "GamifyError"


def _examples(path: str, problems: Sequence[Problem]) -> Document:
    """Return the example bodies by error code. Further bodies with the same code get a number."""
    examples: Document = {}
    seen: Counter[str] = Counter()
    for problem in problems:
        seen[problem.code] += 1
        name = problem.code if seen[problem.code] == 1 else f"{problem.code}_{seen[problem.code]}"
        examples[name] = {"value": dialects.render(problem, path=path)}
    return examples


def shared_errors(operations: Iterable[tuple[str, Document]]) -> Document:
    """Replace the error responses of `operations` by references. Return the responses by name; equal ones are shared."""
    shared: Document = {}
    for path, operation in operations:
        responses = operation["responses"]
        for status in [status for status in responses if status not in _SUCCESSES]:
            name = _name_of(responses[status], shared, f"{_component(path)}{status}")
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    return shared


def _name_of(response: Document, shared: Document, base: str) -> str:
    names = (base if number == 1 else f"{base}_{number}" for number in count(1))
    return next(name for name in names if shared.setdefault(name, response) == response)
