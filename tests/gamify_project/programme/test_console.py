"""The console page of the programme: nothing is written before the differences were shown."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from gamify.badges.models import Badge
from gamify.points.services import Change, award
from gamify_project.programme.items import programme_text
from participants.models import Tenant
from tests.console import Console, fields_of, staff, text_of, trail
from tests.factories import BadgeFactory
from tests.gamify_project.programme.worlds import EVERYTHING, imported, rows_of

pytestmark = pytest.mark.django_db

ONE_BADGE = "version: 1\nbadges:\n  - {code: a, name: A}\n"
PERMISSIONS = ("programme.view_previousprogramme", "programme.change_previousprogramme")


@pytest.fixture
def console(tenant: Tenant) -> Console:
    return Console(tenant)


def sent_by(answer):
    """Return what the form of the differences sends when it is submitted unchanged: everything is chosen."""
    html = answer.content.decode()
    return fields_of(html[html.index("console-wide") :])


def test_the_export_is_a_download(tenant, console):
    imported(tenant, EVERYTHING)
    answer = console.get("programme_export")

    assert answer["Content-Disposition"] == 'attachment; filename="acme.yaml"'
    assert answer.content.decode() == programme_text(tenant)


def test_a_file_is_shown_before_it_is_imported(tenant, console, nothing_written):
    badge = BadgeFactory(tenant=tenant, code="a", name="Old")
    with nothing_written():
        shown = console.post("programme", source="file", file=SimpleUploadedFile("p.yaml", ONE_BADGE.encode()))
    assert "What changes in Acme" in text_of(shown)

    done = console.post("programme", **sent_by(shown), apply="yes")
    badge.refresh_from_db()
    assert (done.status_code, badge.name) == (302, "A")
    assert trail()[-1] == ("Acme", 2, "Imported a programme: 0 added, 1 changed, 0 archived.")


def test_faults_are_listed_with_their_lines(console, nothing_written):
    with nothing_written():
        answer = console.post("programme", source="file", text="version: 1\nbadges:\n  - {code: a, nam: A}\nfoo: 1\n")

    text = text_of(answer)
    assert "3 faults. Nothing was changed." in text
    assert "Line 4" in text
    assert "did you mean name?" in text


def test_single_changes_can_be_left_out_and_dependencies_are_named(tenant, console):
    shown = console.post("programme", source="file", text=EVERYTHING)
    assert "Needs reward mug." in text_of(shown)

    refused = console.post("programme", **sent_by(shown) | {"chosen": ["streak:1:daily"]}, apply="yes")
    assert "needs reward mug, which is new too; choose both" in text_of(refused)
    assert [row["is_chosen"] for row in refused.context["rows"] if row["code"] == "daily"] == [True]

    console.post("programme", **sent_by(refused) | {"chosen": ["streak:1:daily", "reward:1:mug"]}, apply="yes")
    assert {noun for noun, rows in rows_of(tenant).items() if rows} == {"streak", "reward"}


def test_the_sandbox_is_copied_to_live_and_then_there_is_no_difference(tenant, console):
    imported(tenant.sandbox, EVERYTHING)
    sent = {"source": "tenant", "origin": str(tenant.sandbox.pk), "prunes": "on"}
    shown = console.post("programme", **sent)
    console.post("programme", **sent_by(shown), apply="yes")

    assert "There is no difference." in text_of(console.post("programme", **sent))
    assert programme_text(tenant) == programme_text(tenant.sandbox)


def test_the_last_import_is_rolled_back(tenant, console):
    imported(tenant, ONE_BADGE)
    assert "Roll back the last import" in text_of(console.get("programme"))
    shown = console.post("programme", source="previous")
    console.post("programme", **sent_by(shown), apply="yes")

    assert not Badge.objects.of(tenant).get().is_active


def test_a_change_since_the_page_was_opened_shows_the_new_differences(tenant, console):
    shown = console.post("programme", source="file", text=ONE_BADGE)
    BadgeFactory(tenant=tenant, code="a", name="Meanwhile")
    Tenant.objects.filter(pk=tenant.pk).update(catalog_version=tenant.catalog_version + 1)
    answer = console.post("programme", **sent_by(shown), apply="yes")

    assert "Definitions were changed since this page was opened" in text_of(answer)
    assert "Meanwhile" in text_of(answer)


def test_another_tenant_in_another_tab_is_not_changed(tenant, other_tenant, console):
    shown = console.post("programme", source="file", text=ONE_BADGE)
    console.pick(other_tenant)
    answer = console.post("programme", **sent_by(shown), apply="yes")

    assert "You chose another tenant in another tab meanwhile" in text_of(answer)
    assert not Badge.objects.exists()


@pytest.mark.parametrize("sent", [{}, {"text": ONE_BADGE, "file": SimpleUploadedFile("p.yaml", b"version: 1")}])
def test_exactly_one_of_file_and_text_is_needed(console, sent):
    assert "Give a file or its text." in text_of(console.post("programme", source="file", **sent))


def test_an_unknown_tenant_cannot_be_copied_from(console, nothing_written):
    with nothing_written():
        answer = console.post("programme", source="tenant", origin="01a20030-16b8-773b-a1f2-79a6f16a65ee")
    assert "Select a valid choice" in text_of(answer)


def test_staff_need_the_permissions_for_the_definitions_too(tenant):
    clerk = Console(tenant, user=staff(*PERMISSIONS))
    shown = clerk.post("programme", source="file", text=ONE_BADGE)
    assert clerk.post("programme", **sent_by(shown), apply="yes").status_code == 403
    assert not Badge.objects.exists()


def test_staff_who_may_view_can_export_only(tenant):
    clerk = Console(tenant, user=staff(PERMISSIONS[0]))
    page = text_of(clerk.get("programme"))

    assert "Download the file" in page
    assert "Import a file" not in page
    assert clerk.post("programme", source="file", text=ONE_BADGE).status_code == 403


def test_staff_without_permission_see_nothing(tenant):
    clerk = Console(tenant, user=staff("badges.view_badge"))
    assert clerk.get("programme").status_code == clerk.get("programme_export").status_code == 403


def test_the_page_shows_what_the_chosen_changes_would_have_done(tenant, console, nothing_written):
    award(tenant=tenant, change=Change("ada", 80), now=timezone.now())
    shown = console.post(
        "programme", source="file", text="version: 1\nboosts:\n  - {code: b, name: B, multiplier: 2}\n"
    )
    with nothing_written():
        played = console.post("programme", **sent_by(shown) | {"days": "7"}, impact="yes")
        without = console.post("programme", **sent_by(shown) | {"chosen": []}, impact="yes")

    assert "in the last 7 days" in text_of(played)
    assert "80 → 160 (+80)" in text_of(played)
    assert "80 → 80 (+0)" in text_of(without)
