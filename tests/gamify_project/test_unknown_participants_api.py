"""docs/contract.md §5 lists every path with a participant id, and what it answers for an unknown participant."""

import re
from pathlib import Path

import pytest
from django.urls import URLPattern, get_resolver

from participants.services.personal_export import personal_tables
from tests.client import refusal

CONTRACT = Path("docs/contract.md").read_text()
ROWS = re.findall(r"^  \| `(GET|PATCH|POST|PUT|DELETE) (\S+)` \| (\d{3}) \|$", CONTRACT, re.MULTILINE)


def routes(resolver=None, path=""):
    """Yield (method, path) of each endpoint, with the path as the contract writes it."""
    for each in (resolver or get_resolver()).url_patterns:
        full = path + str(each.pattern)
        if isinstance(each, URLPattern):
            name = re.sub(r"<\w+:(\w+)>", r"{\1}", full).removeprefix("api/v1/gamify/")
            yield from (
                (method.upper(), name) for method in getattr(each.callback, "actions", None) or () if method != "head"
            )
        else:
            yield from routes(each, full)


def test_the_contract_lists_every_path_with_a_participant_id():
    of_participants = {route for route in routes() if "{participant_id}" in route[1]}

    assert {(method, path) for method, path, _ in ROWS} == of_participants


@pytest.mark.parametrize(("method", "path", "status"), ROWS)
def test_an_unknown_participant_is_answered_as_the_contract_says(admin_api, nothing_written, method, path, status):
    admin_api.post("/admin/streaks", {"code": "daily", "name": "Daily", "fact_type": "visit"})
    admin_api.post("/admin/leaderboards", {"code": "top", "name": "Top", "metric": "points_earned"})
    code = "top" if path.startswith("leaderboards") else "daily"

    with nothing_written():
        answer = admin_api.send(method, "/" + path.format(participant_id="unknown", code=code), {"reason": "Outage"})

    assert answer.status_code == int(status), answer.content
    if status == "404":
        assert refusal(answer)[1] == "participant_not_found"


def test_the_contract_lists_the_sections_of_the_personal_export():
    [listed] = re.findall(r"a list for each table with rows of\s+theirs, oldest first: `([a-z_,\s]+)`", CONTRACT)

    assert re.split(r",\s+", listed) == list(personal_tables())
