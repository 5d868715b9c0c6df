"""Invisible characters in codes and ids, wherever they are read: such codes are refused, such ids are stored and distinct."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from gamify.facts.models import Event
from gamify.rules.admin.trying import TryForm
from participants.admin.definitions import DefinitionForm
from participants.admin.people import ParticipantForm
from participants.api.definitions import DefinitionViewSet
from participants.api.fields import NewCodeField, VisibleLineField
from participants.models import Participant
from rewards.models import Reward, RewardCode
from rewards.services import create_reward
from streaks.services import create_streak
from tests.client import GAMIFY, Api, refusal, refused_fields, segment
from tests.console import Console, errors_of

FORMAT = {  # category Cf
    "soft hyphen": "\u00ad",
    "arabic letter mark": "\u061c",
    "zero width space": "\u200b",
    "zero width non-joiner": "\u200c",
    "zero width joiner": "\u200d",
    "left-to-right mark": "\u200e",
    "right-to-left mark": "\u200f",
    "right-to-left override": "\u202e",
    "word joiner": "\u2060",
    "first strong isolate": "\u2068",
    "byte order mark": "\ufeff",
    "tag": "\U000e0001",
}
CONTROL = {  # categories Cc, Zl and Zp
    "bell": "\x07",
    "vertical tab": "\x0b",
    "unit separator": "\x1f",
    "delete": "\x7f",
    "next line": "\x85",
    "line separator": "\u2028",
    "paragraph separator": "\u2029",
}
CHARACTERS = FORMAT | CONTROL
CODES = [code for each in CHARACTERS.values() for code in (f"{each}A-1", f"A{each}-1", f"A-1{each}")]
NUMBERS = range(2, len(CODES) + 2)
"""Return CODES as lines below a header."""


# --- codes of rewards ---------------------------------------------------------------------------------------------------


@pytest.fixture
def reward(tenant: Any) -> Reward:
    data = {"name": "Mug", "code": "mug", "reward_type": "coupon"}
    return create_reward(tenant=tenant, data=data, now=timezone.now())


@pytest.fixture
def text() -> bytes:
    return "\n".join(["code", *CODES]).encode()


def test_codes_in_json(admin_api: Api, reward: Reward, nothing_written: Any) -> None:
    with nothing_written():
        answer = admin_api.post(f"/admin/rewards/{reward.pk}/codes", {"codes": ["A-1", *CODES]})

    assert refused_fields(answer) == [f"codes.{number}" for number in range(1, len(CODES) + 1)]


def test_codes_in_csv(admin_api: Api, reward: Reward, text: bytes, nothing_written: Any) -> None:
    with nothing_written():
        answer = admin_api.post(f"/admin/rewards/{reward.pk}/codes", text, content_type="text/csv")

    assert refused_fields(answer) == [f"line {number}" for number in NUMBERS]


@pytest.mark.parametrize("way", ["file", "codes"])
def test_codes_in_the_console(tenant: Any, reward: Reward, text: bytes, nothing_written: Any, way: str) -> None:
    given = SimpleUploadedFile("codes.csv", text) if way == "file" else text.decode()

    console = Console(tenant)
    with nothing_written():
        answer = console.post("rewards_reward_add_codes", reward.pk, **{way: given}, confirmed="yes")

    first = errors_of(answer)[way]
    assert first[0] == "Contains no code."
    assert [each.partition(":")[0] for each in first[1:]] == [f"Line {number}" for number in NUMBERS[:10]]


@pytest.mark.parametrize("kind", ["csv", "ndjson"])
def test_codes_in_files(tenant: Any, reward: Reward, text: bytes, tmp_path: Any, kind: str) -> None:
    path, bad = tmp_path / f"codes.{kind}", tmp_path / "bad"
    path.write_bytes(text if kind == "csv" else "\n".join(['{"code": "A"}', *map(_object, CODES)]).encode())

    call_command(
        "import_codes", str(path), "--tenant", "acme", "--reward", "mug", "--bad", str(bad), stdout=io.StringIO(), stderr=io.StringIO()
    )  # fmt: skip

    assert [line.partition(":")[0] for line in bad.read_text().splitlines()] == [f"line {n}" for n in NUMBERS]
    assert set(RewardCode.objects.values_list("value", flat=True)) == ({"A"} if kind == "ndjson" else set())


def _object(code: str) -> str:
    return json.dumps({"code": code})


def test_patterns_of_codes(admin_api: Api, nothing_written: Any) -> None:
    patterns = [f"{code}####-????" for code in CODES] + [f"####-????{code}" for code in CODES]

    with nothing_written():
        bodies = [{"name": "Mug", "type": "coupon", "code_pattern": pattern} for pattern in patterns]
        answers = [admin_api.post("/admin/rewards", body) for body in bodies]

    assert all(refused_fields(answer) == ["code_pattern"] for answer in answers)


@pytest.mark.parametrize("codes", ['["A", 1.10, 1e5]', '["A", 1, true]', '["A", {}, []]', '["A", null, false]'])
def test_codes_are_strings(admin_api: Api, reward: Reward, nothing_written: Any, codes: str) -> None:
    body = f'{{"codes": {codes}}}'.encode()

    with nothing_written():
        answer = admin_api.post(f"/admin/rewards/{reward.pk}/codes", body)

    assert refused_fields(answer) == ["codes.1", "codes.2"]


# --- codes of definitions -----------------------------------------------------------------------------------------------


def _creating(patterns: Any, prefix: str = "") -> Iterator[tuple[str, type[DefinitionViewSet[Any]]]]:
    """Return every path of the Gamify dialect that creates a definition, with its view."""
    for each in patterns:
        path = prefix + str(each.pattern)
        if isinstance(each, URLResolver):
            yield from _creating(each.url_patterns, path)
        elif isinstance(each, URLPattern) and "post" in getattr(each.callback, "actions", {}):
            view = each.callback.cls  # type: ignore[attr-defined]
            if issubclass(view, DefinitionViewSet) and "code" in view.create_body().fields:
                yield f"/{path}".removeprefix(GAMIFY), view


CREATING = dict(_creating(get_resolver().url_patterns))


def test_the_walk_finds_the_definitions() -> None:
    names = {path.rpartition("/")[2] for path in CREATING}

    assert names >= {"badges", "tiers", "streaks", "rewards", "challenges", "rules", "leaderboards", "boosts"}


@pytest.mark.parametrize("path", CREATING)
def test_codes_of_definitions(admin_api: Api, nothing_written: Any, path: str) -> None:
    with nothing_written():
        answers = [admin_api.post(path, {"code": code, "name": "A"}) for code in CODES]

    assert all("code" in refused_fields(answer) for answer in answers)


def _forms(form: type[DefinitionForm] = DefinitionForm) -> Iterator[type[DefinitionForm]]:
    for each in form.__subclasses__():
        if hasattr(each, "create_body"):  # not a base class for several forms
            yield each
        yield from _forms(each)


def test_codes_of_definitions_in_the_console_are_read_by_the_same_field() -> None:
    fields = [form.create_body().fields.get("code") for form in _forms()]

    assert len(fields) >= len(CREATING)
    assert {type(field) for field in fields if field is not None} == {NewCodeField}


def test_codes_of_objectives(admin_api: Api, nothing_written: Any) -> None:
    quest = {"code": "quest", "name": "Quest", "duration_type": "perpetual"}
    objectives = [{"code": code, "label": "Log in", "event_types": ["login"]} for code in CODES]

    with nothing_written():
        answers = [admin_api.post("/admin/challenges", {**quest, "objectives": [each]}) for each in objectives]

    assert all(refused_fields(answer)[0].startswith("objectives.0") for answer in answers)


def test_texts_without_invisible_characters_are_valid() -> None:
    for code in ("A-1", "日本語", "Ünï", "🎉", "a b", "e\u0301"):
        assert VisibleLineField().run_validation(f"\t {code}\u00a0\r\n") == code


# --- ids ----------------------------------------------------------------------------------------------------------------


IDS = ["user_1", *(code for each in FORMAT.values() for code in (f"{each}user_1", f"user{each}_1", f"user_1{each}"))]


def test_participant_ids_are_stored_exactly_in_bodies_and_paths(api: Api) -> None:
    for amount, external_id in enumerate(IDS, 1):
        answer = api.post("/points/award", {"participant_id": external_id, "amount": amount})
        assert answer.json()["participant_id"] == external_id

    for amount, external_id in enumerate(IDS, 1):
        answer = api.get(f"/participants/{segment(external_id)}/points").json()
        assert (answer["participant_id"], answer["balance"]) == (external_id, amount)
    assert set(Participant.objects.values_list("external_id", flat=True)) == set(IDS)


@pytest.mark.parametrize(
    ("command", "columns"),
    [
        ("backfill_events", "participant_id,event_name,timestamp"),
        ("backfill_streaks", "participant_id,streak_code,timestamp"),
    ],
)
def test_participant_ids_in_files_are_stored_exactly_and_reported(
    tenant: Any, tmp_path: Any, command: str, columns: str
) -> None:
    create_streak(tenant=tenant, data={"code": "login", "name": "Login", "event_types": ["login"]}, now=timezone.now())
    ids = [
        each for each in IDS if not each.startswith("\ufeff")
    ]  # a line that begins with a byte order mark is refused
    path, out, err = tmp_path / "file.csv", io.StringIO(), io.StringIO()
    path.write_text("\n".join([columns, *(f"{each},login,2026-02-14T10:00:00Z" for each in ids)]), encoding="utf-8")

    call_command(command, str(path), "--tenant", "acme", "--json", stdout=out, stderr=err)

    report = json.loads(out.getvalue())
    assert (report["recorded"], report["bad"], report["suspicious"]) == (len(ids), 0, len(ids) - 1)
    starts = [line.partition(': "')[0] for line in err.getvalue().splitlines()]
    assert starts == [f"Suspicious line {number}: participant_id" for number in range(3, len(ids) + 2)]
    assert set(Participant.objects.values_list("external_id", flat=True)) == set(ids)


@pytest.mark.parametrize("external_id", [" ada", "ada ", "\u200bada", "ada\ufeff"])
def test_participant_ids_are_stored_exactly_in_the_console(external_id: str) -> None:
    for form in (TryForm, ParticipantForm):
        name = "participant_id" if form is TryForm else "external_id"
        assert form.base_fields[name].clean(external_id) == external_id


def test_idempotency_keys_in_bodies_are_kept_apart(api: Api) -> None:
    for key in [*IDS, *IDS, "user_1 "]:
        body = {"participant_id": "ada", "event_name": "buy", "idempotency_key": key}
        assert api.post("/events", body).status_code == 200

    assert Event.objects.count() == len(IDS) + 1


def test_idempotency_keys_in_headers_are_refused(api: Api, nothing_written: Any) -> None:
    body = {"participant_id": "ada", "event_name": "buy"}

    with nothing_written():
        answers = [api.post("/events", body, headers={"Idempotency-Key": f"a{each}b"}) for each in CHARACTERS.values()]

    assert {refusal(answer)[:2] for answer in answers} == {(400, "IDEMPOTENCY_KEY_INVALID")}
