"""An empty text means null for an optional address."""

from typing import Any

import pytest

from tests.client import Api
from tests.gamify_project.test_schema import _resolved, operations
from tests.gamify_project.test_unknown_keys import BODIES, path_of

PARTICIPANTS = "/api/v1/gamify/participants"
ADDRESSES = {
    "create_badge": "icon_url",
    "update_badge": "icon_url",
    "create_tier": "icon_url",
    "update_tier": "icon_url",
    "create_streak": "icon_url",
    "update_streak": "icon_url",
    "create_reward": "image_url",
    "update_reward": "image_url",
    "register_participant": "avatar_url",
    "update_profile": "avatar_url",
}
PICTURE = "https://cdn.example.com/picture.png"


def test_these_are_all_the_address_fields() -> None:
    found = {
        name: field
        for name, operation in operations().items()
        if operation.body
        for field in _resolved(operation.body["schema"]).get("properties", ())
        if field.endswith(("_url", "_image", "_icon")) or field in {"image", "icon", "avatar"}
    }

    assert found == ADDRESSES


@pytest.mark.parametrize("empty", ["", "  "])
@pytest.mark.parametrize("name", ADDRESSES)
def test_an_empty_text_is_null(admin_api: Api, name: str, empty: str) -> None:
    admin, field = Api(admin_api.key, base=""), ADDRESSES[name]
    path, body = (PARTICIPANTS, {"participant_id": "ada"}) if "participant" in name or "profile" in name else _of(name)
    if name.startswith("update"):
        created = admin.post(path, {**body, field: PICTURE}).json()
        assert created[field] == PICTURE
        answer = admin.patch(f"{path}/{created.get('participant_id') or created['id']}", {field: empty})
    else:
        answer = admin.post(path, {**body, field: empty})

    assert answer.status_code < 300, answer.json()
    assert answer.json()[field] is None


def _of(name: str) -> tuple[str, Any]:
    noun = name.partition("_")[2]
    return path_of(noun), BODIES[noun]


def test_a_required_address_must_not_be_empty(admin_api: Api, nothing_written: Any) -> None:
    with nothing_written():
        answer = admin_api.post("/admin/webhooks", {"url": "", "event_types": ["*"]})

    assert answer.status_code == 422
