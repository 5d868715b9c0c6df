"""Attributes that the loader adds to the templates of unfold."""

import pytest
from django.template import engines

from gamify_project.unfold_templates import TEMPLATES, complete

HIDDEN = '<span aria-hidden="true" class="material-symbols-outlined'


@pytest.mark.parametrize(
    ("source", "completed"),
    [
        ('<span class="material-symbols-outlined md-18">add</span>', f'{HIDDEN} md-18">add</span>'),
        ('<span class="block {% if a %}b{% endif %} material-symbols-outlined">x</span>', None),
        ("<span>material-symbols-outlined</span>", "<span>material-symbols-outlined</span>"),
        ('<div id="content" class="x">', '<div id="content" role="main" tabindex="-1" class="x">'),
    ],
)
def test_additions(source, completed):
    assert complete(source) == (completed or source.replace("<span ", '<span aria-hidden="true" '))


def test_no_icon_of_unfold_is_spoken():
    sources = [path.read_text() for path in TEMPLATES.rglob("*.html")]

    tags = [tag for source in sources for tag in complete(source).split("<")[1:] if "material-symbols-outlined" in tag]

    assert [tag[:80] for tag in tags if 'aria-hidden="true"' not in tag] == []


def test_the_loader_completes_templates_of_unfold_alone():
    engine = engines["django"]

    assert 'role="main"' in engine.get_template("unfold/layouts/unauthenticated.html").template.source
    assert 'role="main"' not in engine.get_template("admin/participants/box.html").template.source
