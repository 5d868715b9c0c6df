"""Where the processor time of one kind of request goes: runs the WSGI application in this process, and samples its stack.

`bench.profiles` starts it as a process of its own, with the product's environment. Standard input is the description of the requests.
"""

import io
import json
import random
import re
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from types import FrameType
from typing import Any

INTERVAL_SECONDS = 0.001
WARM_UP = 300
ITEMS = 10

# The first pattern that matches any frame of a stack names its part; OUTER patterns are tried before INNER ones, and INNER ones from
# the innermost frame outwards.
OUTER = {
    "rate limits": r"participants/(limits|counters)\.py",
    "writing: statements, sending, COMMIT": r"__exit__ \S*database/transaction\.py",
    "locking and reading: BEGIN, sending, rows": r"__enter__ \S*database/transaction\.py",
    "authentication": r"participants/api/(authentication|key_cache)\.py",
    "reading outside of a unit": r"participants/database/",
}
INNER = {
    "rendering of JSON": r"participants/api/renderers\.py",
    "parsing of JSON": r"participants/api/parsers\.py|participants/engine\.py",
    "serializers": r"rest_framework/(serializers|fields)\.py|participants/api/(fields|scalars|answers|queries)\.py",
    "rules: ledger, facts, badges, boards, outbox": r"(gamify|streaks|rewards)/\S*(services|consumers|selectors|engine|profile)|participants/(work|profile)",
    "routes": r"django/urls/|gamify_project/routing\.py",
    "REST framework: dispatch, request, response": r"rest_framework/|participants/api/",
    "middleware": r"gamify_project/(middleware|content_policy|proxies)\.py|django/middleware/|utils/deprecation\.py|structlog/",
    "Django: handler, request, response, signals": r"django/",
}


def main() -> None:
    given = json.load(sys.stdin)
    from gamify_project.wsgi import application  # noqa: PLC0415 - settings are read here

    environments = _environments(given)
    for _ in range(WARM_UP):
        _run(application, next(environments))
    prepared = [next(environments) for _ in range(given["requests"])]
    stacks: Counter[str] = Counter()
    signal.signal(signal.SIGPROF, lambda _, frame: stacks.update([_stack(frame)]))
    began = time.process_time()
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_SECONDS, INTERVAL_SECONDS)
    for environ in prepared:
        _run(application, environ)
    signal.setitimer(signal.ITIMER_PROF, 0)
    _report(stacks, (time.process_time() - began) / len(prepared))


def _environments(given: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield WSGI environments. `$person` and `$id` in the path and in the body differ from request to request."""
    number = 0
    while True:
        number += 1
        texts = [given["path"], given["body"] or ""]
        for name, value in (
            ("$person", f"user_{random.randint(1, given['people'])}"),
            ("$id", f"{time.time_ns()}-{number}"),
        ):
            texts = [text.replace(name, value) for text in texts]
        path, body = texts[0], texts[1].encode()
        yield {
            "REQUEST_METHOD": "POST" if body else "GET",
            "REQUEST_URI": path,
            "PATH_INFO": path,
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_X_API_KEY": given["key"],
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.input": io.BytesIO(body),
            "wsgi.url_scheme": "http",
            "wsgi.input_terminated": True,
        }


def _run(application: Callable[..., Any], environ: dict[str, Any]) -> None:
    response = application(environ, lambda status, headers: _expect_success(status))
    for _ in response:
        pass
    response.close()


def _expect_success(status: str) -> None:
    if not status.startswith("2"):
        raise RuntimeError(f"a request was answered {status}")


def _stack(frame: FrameType | None) -> str:
    """Return the functions from the innermost frame outwards."""
    functions = []
    while frame is not None:
        functions.append(f"{frame.f_code.co_name} {frame.f_code.co_filename}")
        frame = frame.f_back
    return "\n".join(functions)


def _report(stacks: Counter[str], seconds: float) -> None:
    parts: Counter[str] = Counter()
    for stack, samples in stacks.items():
        parts[_part(stack)] += samples
    total = stacks.total()
    print(f"    {seconds * 1e6:.0f} µs per request, {total} samples")
    for name, samples in parts.most_common(ITEMS):
        print(f"    {samples / total:>6.1%}  {name}")


def _part(stack: str) -> str:
    outer = (name for name, pattern in OUTER.items() if re.search(pattern, stack))
    inner = (name for line in stack.split("\n") for name, pattern in INNER.items() if re.search(pattern, line))
    return next(outer, None) or next(inner, "other")


if __name__ == "__main__":
    main()
