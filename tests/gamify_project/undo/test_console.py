"""Undo in the console: a preview, then the undo itself, and its progress."""

import pytest

from gamify_project.undo.models import Undo
from tests.console import Console, errors_of, staff, text_of, trail
from tests.gamify_project.undo.worlds import World, balance, done, finish

ADA = {"participant_id": "ada"}
SINCE = {
    "since_0": "2026-01-01",
    "since_1": "00:00:00",
    "until_0": "",
    "until_1": "",
    "version": "",
    "reason": "Leaked",
}


@pytest.fixture
def world(tenant):
    return World(tenant)


@pytest.fixture
def console(tenant):
    return Console(tenant)


def preview(console, world, **changes):
    data = {"kind": "api_key", "actor_id": world.causes["a"]["id"], **SINCE}
    return console.post("undo", **data | changes)


def test_a_preview_is_confirmed_and_then_done(world, console):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    done(world.a.post("/streaks/record", ADA | {"streak_code": "daily"}))

    answer = preview(console, world)
    finish(Undo.objects.get())
    shown = text_of(console.client.get(answer["Location"]))

    assert balance(world.b) == 100
    assert "1 would be taken back, 1 would stay" in shown
    assert "A tick that was recorded without an event is stored only as a count" in shown
    started = console.client.post(answer["Location"])
    undo = Undo.objects.get(is_dry_run=False)
    assert started["Location"].endswith(f"{undo.pk}/")
    assert (undo.reason, undo.actor) == ("Leaked", f"staff:{console.user.pk}")
    finish(undo)
    assert balance(world.b) == 0
    assert "1 were taken back" in text_of(console.client.get(started["Location"]))
    assert [message for _, _, message in trail()] == ["Previewed.", "Started."]


def test_the_undo_takes_back_nothing_newer_than_its_preview(world, console):
    done(world.a.post("/points/award", ADA | {"amount": 100}))
    answer = preview(console, world)
    finish(Undo.objects.get())
    done(world.a.post("/points/award", ADA | {"amount": 5}))

    console.client.post(answer["Location"])
    finish(Undo.objects.get(is_dry_run=False))

    assert balance(world.b) == 5


def test_a_running_undo_reloads_its_page(world, console):
    answer = preview(console, world)

    page = console.client.get(answer["Location"])

    assert page["Refresh"]
    assert "Working" in text_of(page)


@pytest.mark.parametrize("status", ["queued", "running", "failed"])
def test_a_preview_that_is_not_done_starts_nothing(world, console, status):
    answer = preview(console, world)
    Undo.objects.update(status=status)

    refused = console.client.post(answer["Location"])

    assert "This preview is not done." in text_of(refused)
    assert not Undo.objects.filter(is_dry_run=False).exists()


def test_a_second_undo_of_the_same_cause_is_refused_on_the_page(world, console):
    answer = preview(console, world)
    finish(Undo.objects.get())
    world.undo(runs=False)

    refused = console.client.post(answer["Location"])

    assert "An undo of this cause is running" in text_of(refused)


def test_bad_input_is_an_error_of_its_field(world, console, nothing_written):
    with nothing_written():
        answer = preview(console, world, since_0="2126-01-01")

    assert errors_of(answer) == {"since": ["Must be before “Until”, and in the past."]}


def test_the_activity_links_to_the_form_and_fills_it_in(world, console):
    actor = f"api_key:{world.causes['a']['id']}"

    page = text_of(console.get("activity", actor=actor))
    form = text_of(console.get("undo", actor=actor))

    assert f"/undo/?actor=api_key%3A{world.causes['a']['id']}" in page
    assert f'value="{world.causes["a"]["id"]}"' in form


def test_only_users_with_the_permission_open_the_pages(world, tenant):
    undo = world.undo()
    console = Console(tenant, user=staff("participants.view_domainevent"))

    assert console.get("undo").status_code == 403
    assert console.get("undo_report", undo["id"]).status_code == 403
    assert "Undo…" not in text_of(console.get("activity"))


def test_another_tenants_undo_is_not_found(world, other_tenant):
    undo = world.undo()

    assert Console(other_tenant).get("undo_report", undo["id"]).status_code == 404
