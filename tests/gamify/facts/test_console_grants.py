"""The editor of grants: converts grants to rows and back."""

import json

import pytest
from django import forms
from django.http import QueryDict

from gamify.facts.admin.grants import KEPT, GrantsField, GrantsWidget, Row, columns, row_of
from gamify.facts.admin.words import grant_error_sentence, grant_in_words
from gamify.facts.services import grant_kinds
from tests.factories import BadgeFactory


def row(form="points", **cells):
    return Row(form, cells)


def submitted(shown, *rows: Row):
    data = QueryDict(mutable=True)
    data["g-shown"] = shown if isinstance(shown, str) else json.dumps(shown)
    data.setlist("g-kind", [each.form for each in rows])
    for column in (*columns(), KEPT):
        data.setlist(f"g-{column}", [each.cells.get(column, "") for each in rows])
    return GrantsWidget().value_from_datadict(data, {}, "g")


def cleaned(*rows: Row, shown=()):
    return GrantsField().clean(submitted(list(shown), *rows))


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({"type": "points", "amount": 10}, row("points", amount="10")),
        ({"type": "points", "field": "order.total"}, row("points_by", field="order.total")),
        (
            {"type": "points", "field": "amount", "factor": 1.5, "rounding": "ceil", "max": 500},
            row("points_by", field="amount", factor="1.5", rounding="ceil", max="500"),
        ),
        ({"type": "badge", "code": "vip"}, row("badge", named="vip")),
        ({"type": "tier", "code": "gold"}, row("tier", named="gold")),
        ({"type": "streak_tick", "code": "daily"}, row("streak_tick", named="daily")),
        ({"type": "reward", "id": "01a2"}, row("reward", reward="01a2")),
    ],
)
def test_a_grant_becomes_a_row_and_the_row_the_grant(spec, expected):
    assert row_of(spec, 0) == expected
    assert cleaned(expected) == [spec]


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "points", "amount": "10"},
        {"type": "points", "amount": True},
        {"type": "points", "amount": 10, "note": "x"},
        {"type": "points", "field": "amount", "min": 3},
        {"type": "surprise", "size": 3},
        {"type": "badge"},
        {"type": "badge", "code": " vip "},
        {},
    ],
)
def test_a_grant_that_rows_cannot_express_is_kept_at_its_place(spec):
    shown = [{"type": "points", "amount": 1}, spec]
    kept = row_of(spec, 1)

    assert kept.is_kept
    assert cleaned(row("badge", named="vip"), kept, shown=shown) == [{"type": "badge", "code": "vip"}, spec]


def test_an_untouched_editor_has_not_changed():
    shown = [{"type": "points", "field": "n", "factor": 1.0, "rounding": "floor", "max": None}, {"type": "x"}]
    rows = [row_of(spec, place) for place, spec in enumerate(shown)]
    field = GrantsField()

    assert [each.is_kept for each in rows] == [False, True]
    assert not field.has_changed(shown, submitted(shown, *rows, row()))
    assert field.has_changed(shown, submitted(shown, *reversed(rows)))
    assert field.has_changed(shown, submitted(shown, rows[0]))
    assert field.has_changed(shown, submitted(shown, row("kept", kept="7")))


@pytest.mark.parametrize("text", ["ten", "1e400", "nan", "1,000", "1_000", ""])
def test_text_that_is_not_a_number_is_left_for_the_body_to_refuse(text):
    (spec,) = cleaned(row("points", amount=text, factor="1"))

    assert spec == {"type": "points", "amount": text}


@pytest.mark.parametrize("kept", ["1", "-1", "x", "²", "9" * 5000])
def test_a_kept_grant_that_is_gone_is_refused_in_words(kept):
    with pytest.raises(forms.ValidationError, match="load the page again"):
        cleaned(row("kept", kept=kept), shown=[{"type": "x"}])


@pytest.mark.parametrize("shown", ["", "{", "7", "[" * 100_000, '{"type": "x"}'])
def test_a_tampered_page_does_not_crash(shown):
    assert submitted(shown, row("points", amount="1")).shown == []


def test_the_page_offers_the_registered_kinds_and_shows_kept_grants_in_words():
    html = GrantsWidget().render("grants", [{"type": "points", "amount": 5, "note": "<b>"}], {})

    assert '<option value="badge">Badge</option>' in html
    assert "Set through the API" in html
    assert "5 points" in html


def test_a_row_that_was_refused_is_shown_as_it_was_sent():
    sent = submitted([], row("surprise", named="<vip>"))

    html = GrantsWidget().render("grants", sent, {})

    assert '<option value="surprise" selected>surprise</option>' in html
    assert 'value="&lt;vip&gt;"' in html


@pytest.mark.django_db
def test_codes_of_the_tenants_own_definitions_are_suggested(tenant, other_tenant):
    BadgeFactory(tenant=tenant, code="vip", name="V.I.P.")
    BadgeFactory(tenant=tenant, code="old", is_active=False)
    BadgeFactory(tenant=other_tenant, code="theirs")
    field = GrantsField()

    field.suggest_for(tenant)

    suggested = {name for name, kind in grant_kinds.items() if kind.suggestions is not None}
    assert suggested == {"badge", "tier", "streak_tick", "reward"}
    html = field.widget.render("grants", [], {})
    assert '<datalist id="grants-badge"><option value="vip">V.I.P.</option></datalist>' in html


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"type": "points", "amount": 1500}, "1,500 points"),
        ({"type": "points", "field": "amount", "factor": 1, "rounding": "floor"}, "amount points"),
        (
            {"type": "points", "field": "amount", "factor": 1.5, "rounding": "ceil", "max": 500},
            "1.5 × amount points, rounded up, at most 500",
        ),
        ({"type": "badge", "code": "vip"}, "badge vip"),
        ({"type": "reward", "id": "01a2"}, "reward 01a2"),
        ({"type": "surprise", "code": "x"}, "surprise x"),
    ],
)
def test_a_grant_in_words(spec, words):
    assert grant_in_words(spec) == words


@pytest.mark.parametrize(
    ("path", "message", "sentence"),
    [
        (["1", "code"], "must be the code of an active badge", "No. 2: the code must be the code of an active badge."),
        (["0", "amount"], "give either an amount or a field", "No. 1: give either an amount or a field."),
        (["2"], "must be an object", "No. 3: must be an object."),
        ([], "Required.", "Required."),
    ],
)
def test_errors_of_grants_are_sentences(path, message, sentence):
    assert grant_error_sentence(path, message) == sentence
