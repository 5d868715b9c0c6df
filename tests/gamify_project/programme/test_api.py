"""GET and POST of the programme."""

import pytest

from gamify.badges.models import Badge
from gamify_project.programme.api.examples import FILE
from gamify_project.programme.items import programme_text
from gamify_project.programme.models import PreviousProgramme
from gamify_project.programme.services import ProgrammeChanged
from tests.client import Api, like, refusal, refused_fields
from tests.factories import BadgeFactory
from tests.gamify_project.programme.worlds import EVERYTHING, imported

pytestmark = pytest.mark.django_db

YAML = "application/yaml"
PATH = "/admin/programme"


def post(api: Api, text: str | bytes, query: str = "", content_type: str = YAML):
    return api.post(f"{PATH}{query}", text.encode() if isinstance(text, str) else text, content_type=content_type)


def test_an_export_is_yaml_and_an_import_of_it_changes_nothing(tenant, admin_api):
    imported(tenant, EVERYTHING)
    answer = admin_api.get(PATH)

    assert (answer.status_code, answer["Content-Type"]) == (200, YAML)
    assert answer.content.decode() == programme_text(tenant)
    unchanged = post(admin_api, answer.content, "?prune=true").json()
    assert [unchanged[name] for name in ("added", "changed", "archived")] == [[], [], []]
    assert {"field": "rules.0.then.0.code", "message": "reward mug is not in use"} in unchanged["warnings"]


def test_the_example_of_the_document_is_what_an_export_answers(tenant, admin_api):
    answer = post(admin_api, FILE)

    assert [change["code"] for change in answer.json()["added"]] == ["bronze", "regular", "welcome"]
    assert admin_api.get(PATH).content.decode() == FILE


def test_an_import_answers_what_it_added_changed_and_archived(tenant, admin_api):
    BadgeFactory(tenant=tenant, code="regular", name="Regular")
    BadgeFactory(tenant=tenant, code="gone", name="Gone")
    answer = post(admin_api, FILE, "?prune=true")

    assert answer.status_code == 200
    assert like(
        answer.json(),
        {
            "added": [{"object_type": "tier"}, {"object_type": "rule", "code": "welcome"}],
            "changed": [
                {
                    "object_type": "badge",
                    "code": "regular",
                    "affected_participants": 0,
                    "changes": {"rarity": {"before": "common", "after": "rare"}},
                }
            ],
            "archived": [{"code": "gone", "changes": {"is_active": {"before": True, "after": False}}}],
            "warnings": [],
        },
    )
    assert Badge.objects.of(tenant).active().get().code == "regular"
    assert PreviousProgramme.objects.get().replaced_by == "API key "


def test_a_dry_run_answers_the_same_and_writes_nothing(tenant, admin_api, nothing_written):
    with nothing_written():
        dry = post(admin_api, FILE, "?dry_run=true")

    assert dry.json() == post(admin_api, FILE).json()


def test_a_file_with_faults_is_422_with_every_fault(admin_api, nothing_written):
    with nothing_written():
        answer = post(
            admin_api,
            FILE.replace("rarity: rare", "rarity: rar").replace("code: regular\n    limits", "code: vip\n    limits"),
        )

    assert refused_fields(answer) == ["badges.0.rarity", "rules.0.then.1.code"]
    assert answer.json()["errors"][1]["message"] == (
        "Line 29: refers to nothing: there is no badge “vip” in the file or in the tenant"
    )


@pytest.mark.parametrize("text", [b"", b"\xff", b"a: [", b"[]", b"version: 1\nx: &a [*a]"])
def test_what_is_no_programme_is_422(admin_api, nothing_written, text):
    with nothing_written():
        assert post(admin_api, text).status_code == 422


def test_a_body_of_more_than_a_mebibyte_is_413(admin_api):
    assert refusal(post(admin_api, b"# " + b"x" * 1024 * 1024))[:2] == (413, "payload_too_large")


@pytest.mark.parametrize("content_type", ["application/json", "text/plain", ""])
def test_other_media_types_are_415(admin_api, content_type):
    assert post(admin_api, FILE, content_type=content_type).status_code == 415


@pytest.mark.parametrize("content_type", ["application/yaml; charset=utf-8", "text/yaml", "application/x-yaml"])
def test_the_usual_names_of_yaml_are_accepted(admin_api, content_type):
    assert post(admin_api, FILE, content_type=content_type).status_code == 200


def test_an_empty_dry_run_is_refused(admin_api, nothing_written):
    with nothing_written():
        assert refused_fields(post(admin_api, FILE, "?dry_run=")) == ["dry_run"]


def test_a_change_during_the_import_is_409(tenant, admin_api, monkeypatch):
    def change_first(plan, **given):
        raise ProgrammeChanged

    monkeypatch.setattr("gamify_project.programme.api.admin.apply_plan", change_first)
    assert refusal(post(admin_api, FILE))[:2] == (409, "programme_changed")


def test_the_programme_needs_the_admin_scope(api, sandbox_api):
    for caller in (api, sandbox_api):
        assert refusal(caller.get(PATH)) == (403, "forbidden", "API key requires 'admin' scope")
        assert post(caller, FILE).status_code == 403


def test_a_tenant_sees_and_changes_its_own_programme_only(tenant, other_admin_api, admin_api):
    imported(tenant, EVERYTHING)
    post(other_admin_api, "version: 1\n", "?prune=true")

    assert other_admin_api.get(PATH).content == b"version: 1\n"
    assert Badge.objects.of(tenant).active().count() == 2
