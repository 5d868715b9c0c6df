"""Every page of the console, for every kind of staff: no raw values, no errors, no visible codes, no links without permission."""

import re
from collections.abc import Collection, Iterator
from html.parser import HTMLParser
from typing import Any

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from gamify.facts.admin.traces import ANONYMIZED, TOO_OLD
from gamify.facts.models import PRUNED, Event
from gamify.rules.models import Rule
from participants.models import Definition, Participant
from participants.services.participants import anonymize
from rewards.models import Claim
from tests.console import Console, text_of, trail
from tests.gamify_project.console_world import APPS, CODE, FREE_CODE, REGISTERED, make_staff, make_world

OTHERS = ("viewer", "support", *APPS)
ROWS_OF_EACH = 3
PYTHON = re.compile(r"""\{'|\['|: True\b|: False\b|\bNone\b(?!:| yet\.)|<[\w.]+ object at""")
INSTANT = re.compile(r"\d:\d\d\.\d+\+00:00")
ID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
DEFINED = [model for model in REGISTERED if issubclass(model, Definition)]
JSON_OBJECT = re.compile(r'\{\s*"\w+":')


@pytest.fixture
def world(db: None) -> Any:
    return make_world()


@pytest.mark.parametrize(
    "role", ["superuser", *(pytest.param(role, marks=pytest.mark.any_database) for role in OTHERS)]
)
def test_every_page_answers_every_kind_of_staff(world, role):
    console = Console(world, user=make_staff(role))
    seen: set[str] = set()

    for path in pages_of([role] if role in APPS else APPS):
        _check(console, path, seen)

    assert len(seen) > 1


@pytest.mark.parametrize("model", REGISTERED, ids=lambda model: model._meta.label_lower)
def test_the_view_page_has_the_same_fields_as_the_change_page(world, model):
    """Only fields that matter to editors only, or that do not apply to the row, are left out. A row may also be on the page of another."""
    row = _rows(model)[0]
    page = f"{model._meta.app_label}_{model._meta.model_name}_change"
    changed = Console(world, user=make_staff("superuser")).get(page, row.pk)
    viewed = Console(world, user=make_staff("viewer")).get(page, row.pk)
    model_admin: Any = admin.site._registry[model]
    only_edited = getattr(model_admin.form, "only_edited", ())
    hidden = {"password", *only_edited, *getattr(model_admin, "conditional_fields", {})}

    if changed.status_code == 302:
        assert viewed["Location"] == changed["Location"]
        return
    assert viewed.status_code == 200
    assert _fields_of(changed) - hidden - {"opened_for"} <= _fields_of(viewed)


@pytest.mark.parametrize("model", DEFINED, ids=lambda model: model._meta.label_lower)
def test_every_field_of_a_definition_is_shown_in_words_to_staff_who_may_only_view(world, model):
    """No JSON, no id of another row, and a text for every field that has a value. The list and the history use the same words."""
    viewer, page = Console(world, user=make_staff("viewer")), f"{model._meta.app_label}_{model._meta.model_name}"
    for row in model.objects.filter(tenant=world):
        answer = viewer.get(f"{page}_change", row.pk)
        own_id = str(row.pk)

        words = _words_of(answer)
        texts = [_Text.of(str(each)) for each in words.values()]
        pages = [answer, viewer.get(f"{page}_changelist"), viewer.get(f"{page}_history", row.pk)]
        assert not [text for text in texts if JSON_OBJECT.search(text) or ID.search(text.replace(own_id, ""))]
        for each in pages:
            assert not ID.search(_Text.of(text_of(each)).replace(own_id, "")), (row, each.request["PATH_INFO"])
        without = [name for name in _with_values(row, answer) if words.get(name) in (None, "", "–")]
        assert not without, (row, without)


def _words_of(answer: Any) -> dict[str, Any]:
    """What the view page shows, by the name of the field."""
    page = answer.context["adminform"]
    fields = (field.field for fieldset in page for line in fieldset for field in line)
    shown = [field["field"] for field in fields if isinstance(field, dict)]
    return {field.__name__: field(page.form.instance) for field in shown if callable(field)}


def _with_values(row: Any, answer: Any) -> list[str]:
    """The columns of the definition that its form edits under the same name, and that have a value."""
    page = admin.site._registry[type(row)]
    edited = {*page.form.base_fields} & {column.name for column in row._meta.fields}
    left_out = {*getattr(page, "conditional_fields", ()), *page.form.only_new}  # these are at the top of the page
    return [name for name in edited - left_out if getattr(row, name) not in (None, "", [], {})]


def _fields_of(answer: Any) -> set[str]:
    lines = (line for fieldset in answer.context["adminform"] for line in fieldset)
    fields = (field.field for line in lines for field in line)
    return {field["name"] if isinstance(field, dict) else field.name for field in fields}


def pages_of(of_apps: Collection[str], *, rows_of_each: int = ROWS_OF_EACH) -> Iterator[str]:
    """Return the pages of the models of some apps. Staff of one app reach other pages by links only."""
    yield from (
        reverse(f"admin:{name}") for name in ("index", "pick_tenant", "rules_rule_try", "programme", "undo", "logout")
    )
    for model in (model for model in REGISTERED if model._meta.app_label in of_apps):
        page = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        yield from (reverse(f"{page}_changelist"), reverse(f"{page}_add"))
        for row in _rows(model)[:rows_of_each]:
            yield from (reverse(f"{page}_{name}", args=[row.pk]) for name in ("change", "history", "delete"))
            yield from _own_pages(admin.site._registry[model], row)


def _own_pages(model_admin: Any, row: Any) -> Iterator[str]:
    yield from (page.url(row) for page in getattr(model_admin, "get_object_pages", tuple)())
    if isinstance(row, Rule):
        yield reverse("admin:rules_rule_what_if", args=[row.pk])


def _rows(model: Any) -> list[Any]:
    rows = list(model.objects.all()[:ROWS_OF_EACH])
    assert rows, f"the world of this test lacks a row of {model._meta.label}"
    return rows


def _check(console: Console, path: str, seen: set[str]) -> None:
    """Visit the page, then every link on it once."""
    answer = _answered(console.client, path)
    seen.add(path)
    for link in _links(answer) if answer.status_code == 200 else ():
        if link not in seen:
            seen.add(link)
            assert _answered(console.client, link).status_code in {200, 302}, f"{path} links to {link}, which is closed"


def _answered(client: Client, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code in {200, 302, 403}, (path, answer.status_code)
    if answer.status_code != 302 and answer["Content-Type"].startswith("text/html"):
        _check_text(path, answer)
    return answer


def _check_text(path: str, answer: Any) -> None:
    html = answer.content.decode()
    assert "gamify_project/console" in html, f"{path} does not look like the console"
    text = _Text.of(html)
    assert not PYTHON.search(text), (path, PYTHON.search(text))
    if "/axes/" not in path:  # axes names its rows itself
        assert not INSTANT.search(text), (path, INSTANT.search(text))
    if "/webhooks/delivery/" not in path and not path.endswith("/curl/"):  # these show bodies of requests
        assert not JSON_OBJECT.search(text), (path, JSON_OBJECT.search(text))
    assert CODE not in html, f"{path} shows a code that was handed out"
    assert FREE_CODE not in html, f"{path} shows a free code"


class _Text(HTMLParser):
    """Collects the visible text of a page, and its links."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self.links: list[str] = []
        self._is_code = False

    @classmethod
    def of(cls, html: str) -> str:
        return " ".join(cls.read(html).parts)

    @classmethod
    def read(cls, html: str) -> "_Text":
        parser = cls()
        parser.feed(html)
        return parser

    def handle_starttag(self, tag: str, attributes: Any) -> None:
        self._is_code = tag in {"script", "style"}
        href = dict(attributes).get("href", "") if tag == "a" else ""
        if href and href.partition("#")[0]:
            self.links.append(href.partition("#")[0])

    def handle_data(self, text: str) -> None:
        if not self._is_code and text.strip():
            self.parts.append(text.strip())


def _links(answer: Any) -> list[str]:
    """Return links without those that sort or filter the same list, or change the tenant."""
    links = _Text.read(answer.content.decode()).links
    return [link for link in links if link.startswith("/console/") and "?next=" not in link]


def test_codes_are_masked_until_someone_with_the_permission_asks_and_that_is_audited(world):
    claim = Claim.objects.get(code_value=CODE)
    console = Console(world, user=make_staff("superuser"))
    pages = [
        console.get("rewards_claim_changelist"),
        console.get("rewards_claim_change", claim.pk),
        console.get("participants_participant_change", claim.participant_id),
        console.get("webhooks_delivery_changelist"),
    ]
    assert all(CODE not in text_of(page) for page in pages)
    assert "••••••••••123" in text_of(pages[0])

    console.post("rewards_claim_reveal", claim.pk)

    assert CODE in text_of(console.get("rewards_claim_change", claim.pk))
    assert trail()[-1][2] == "Revealed the code."


def test_only_its_own_permission_reveals_a_code(world):
    claim = Claim.objects.get(code_value=CODE)

    answer = Console(world, user=make_staff("viewer")).post("rewards_claim_reveal", claim.pk)

    assert (answer.status_code, 'data-error="403"' in text_of(answer)) == (403, True)


def test_a_participants_page_shows_only_the_panels_that_the_reader_may_see(world):
    ada = Participant.objects.get(external_id="ada", tenant=world)
    support = text_of(Console(world, user=make_staff("support")).get("participants_participant_change", ada.pk))
    viewer = text_of(Console(world, user=make_staff("viewer")).get("participants_participant_change", ada.pk))

    for title in ("Tier", "Badges", "Challenges", "Streaks", "Rewards", "Leaderboards"):
        box = f'aria-label="{title}"'
        assert (box in viewer, box in support) == (True, False), title
    assert ("Coupon" in support, "purchase" in support, "+20 points" in support) == (False, False, False)


def test_an_object_page_also_checks_the_permission_to_view_its_row(world):
    """Staff who may add ledger entries, but not view participants, cannot award anything."""
    ada = Participant.objects.get(external_id="ada", tenant=world)

    answer = Console(world, user=make_staff("points")).post(
        "participants_participant_award", ada.pk, amount="5", reason="x"
    )

    assert answer.status_code == 403


def test_the_history_of_a_row_is_counted_and_ends(world):
    console = Console(world, user=make_staff("superuser"))
    badge = console.get("badges_badge_changelist").context["cl"].result_list[0]

    shown = text_of(console.get("badges_badge_history", badge.pk))

    assert "9999999999" not in shown
    assert "?p=2" not in shown


def test_an_event_of_an_anonymised_participant_is_not_reported_as_old(world):
    anonymize(tenant=world, external_id="bob", now=Event.objects.first().created_at)
    event = Event.objects.filter(trace=PRUNED).get()

    shown = text_of(Console(world, user=make_staff("superuser")).get("facts_event_change", event.pk))

    assert (ANONYMIZED in shown, TOO_OLD in shown) == (True, False)


def test_a_delivery_counts_all_attempts_that_it_lists(world):
    console = Console(world, user=make_staff("superuser"))
    delivery = console.get("webhooks_delivery_changelist").context["cl"].result_list[0]

    shown = text_of(console.get("webhooks_delivery_change", delivery.pk))

    assert "3, 1 since the last replay" in shown


@pytest.mark.parametrize(("path", "to"), [("/", "/console/"), ("/console", "/console/")])
def test_the_root_redirects_to_the_console(db, path, to):
    answer = Client().get(path)

    assert (answer.status_code, answer.url) == (302, to)


@pytest.mark.parametrize("path", ["/nowhere", "/api/nowhere", "/console/nowhere/"])
def test_an_unknown_path_gets_a_page_with_links(world, path):
    answer = Console(world, user=make_staff("superuser")).client.get(path)

    assert answer.status_code == 404
    assert 'href="/console/"' in text_of(answer)


@pytest.mark.parametrize("path", ["/api/v1/gamify/nowhere", "/v1/nowhere"])
def test_an_api_path_that_is_not_there_is_answered_in_json(db, path):
    answer = Client().get(path)

    assert (answer.status_code, answer["Content-Type"]) == (404, "application/json")


@pytest.mark.parametrize("path", ["/console/login/", "/console/tenant/"])
def test_a_form_without_its_token_gets_a_page_that_says_what_to_do(world, path):
    client = Client(enforce_csrf_checks=True)
    client.force_login(make_staff("superuser"))

    answer = client.post(path, {})

    assert answer.status_code == 403
    assert "The form was not accepted" in text_of(answer)


def test_a_crash_in_the_console_shows_an_error_page_in_its_style(world, monkeypatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("participants.admin.panels.boxes", broken)
    user = make_staff("superuser")
    client = Client(raise_request_exception=False)
    client.force_login(user)
    ada = Participant.objects.get(external_id="ada", tenant=world)

    answer = client.get(reverse("admin:participants_participant_change", args=[ada.pk]))

    assert (answer.status_code, 'data-error="500"' in text_of(answer)) == (500, True)


def test_if_the_console_cannot_be_rendered_a_plain_page_is_shown(db, monkeypatch):
    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr("gamify_project.console.ConsoleSite.each_context", broken)

    answer = Client(raise_request_exception=False).get("/console/login/")

    assert (answer.status_code, 'data-error="500"' in text_of(answer)) == (500, True)
    assert "style-src 'unsafe-inline'" in answer["Content-Security-Policy"]
    assert "script-src" not in answer["Content-Security-Policy"]
