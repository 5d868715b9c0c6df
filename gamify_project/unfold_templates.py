"""Attributes for screen readers and keyboards, added to unfold's templates as they are loaded (docs/decisions/0035-for-everyone.md).

unfold has about two hundred templates. Copies of the ones that lack an attribute would have to follow every upgrade. The loader
therefore adds the attributes to the source, before it is compiled. The tests walk all pages and fail if an addition is missing.
"""

import re
from pathlib import Path

import unfold
from django.template import Origin
from django.template.loaders.app_directories import Loader

TEMPLATES = Path(unfold.__file__).parent / "templates"
ADDITIONS = (
    # Icons are words of a font, such as `chevron_right`. Readers would speak them.
    (re.compile(r"<(?=(?:span|i|div)\b[^<>]*\bmaterial-symbols-outlined\b)(span|i|div)\b"), r'<\1 aria-hidden="true"'),
    (re.compile(r'<div id="content"'), r'<div id="content" role="main" tabindex="-1"'),
    (re.compile(r'<div class="w-full sm:w-96"'), r'<div id="content" role="main" tabindex="-1" class="w-full sm:w-96"'),
    # Links and buttons that consist of an icon.
    (re.compile(r'(a href="{% url "admin:index" %}")({% endif %} class=)'), r'\1 aria-label="Overview"\2'),
    (
        re.compile(r'<button type="submit"(?=[^<>]* id="(?:searchbar|command)-submit")'),
        r'<button type="submit" aria-label="Search"',
    ),
    # The target of the link that skips the header of a list.
    (
        re.compile(r'<tbody (?=class="block relative lg:table-row-group)'),
        r'<tbody {% if forloop.first %}id="first-row" tabindex="-1" {% endif %}',
    ),
    # The parts of a form, as targets of the links beside it. Readers announce them by their titles.
    (
        re.compile(r'<fieldset class="module relative(?= {% if)'),
        r'<fieldset{% if fieldset.name %} id="part-{{ fieldset.name|slugify }}" aria-label="{{ fieldset.name }}"{% endif %} class="module relative',
    ),
    (re.compile(r'<nav id="nav-sidebar-inner"'), r'<nav id="nav-sidebar-inner" aria-label="Pages"'),
)


class AccessibleLoader(Loader):
    """Django's loader of the templates of apps. It completes those of unfold."""

    def get_contents(self, origin: Origin) -> str:
        source = super().get_contents(origin)
        return complete(source) if Path(origin.name).is_relative_to(TEMPLATES) else source


def complete(source: str) -> str:
    """Return the source of a template with all ADDITIONS."""
    for missing, added in ADDITIONS:
        source = missing.sub(added, source)
    return source
