"""Links in Markdown files lead to existing headings, and citations of docs/contract.md name existing sections in one form."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONTRACT = ROOT / "docs" / "contract.md"
SIGN = chr(167)  # the section sign, which this file does not contain, so that it can check itself

LINK = re.compile(r"\[(?P<text>[^\]]*)\]\((?P<target>[^)\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.+?)\s*$", re.MULTILINE)
CITATION = re.compile(rf"docs/contract\.md {SIGN}(\d+)")


def tracked(*patterns: str) -> list[Path]:
    """Return the files that match, without those that git ignores."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns]
    names = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    return [ROOT / name for name in names if name and (ROOT / name).exists()]


def without_code(markdown: str) -> str:
    """Remove code blocks and inline code, in which brackets and number signs mean other things."""
    return re.sub(r"`[^`\n]*`", "", re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE))


def anchors(markdown: str) -> set[str]:
    """Return the anchors of all headings, as GitHub makes them."""
    found: set[str] = set()
    for heading in HEADING.findall(re.sub(r"^```.*?^```", "", markdown, flags=re.DOTALL | re.MULTILINE)):
        words = re.sub(r"[^\w\- ]", "", LINK.sub(r"\g<text>", heading).lower()).replace(" ", "-")
        suffixes = ["", *(f"-{number}" for number in range(1, 100))]
        found.add(next(words + suffix for suffix in suffixes if words + suffix not in found))
    return found


def broken_links(path: Path) -> Iterator[str]:
    for link in LINK.finditer(without_code(path.read_text())):
        if re.match(r"[a-z]+:", link["target"]):
            continue
        name, _, anchor = link["target"].partition("#")
        file = (path.parent / name).resolve() if name else path
        if not file.exists():
            yield f"{link[0]}: no such file"
        elif anchor and anchor not in anchors(file.read_text()):
            yield f"{link[0]}: no such heading"


def sections() -> dict[str, str]:
    """Return the anchor of each section of the contract by its number."""
    found = re.findall(r"^## (\d+)\. (.+)$", CONTRACT.read_text(), re.MULTILINE)
    return {number: next(iter(anchors(f"## {number}. {title}"))) for number, title in found}


def bad_citations_in_code(text: str) -> Iterator[str]:
    cited = {match.end(): match[1] for match in CITATION.finditer(text)}
    yield from (f"no section {number}" for number in cited.values() if number not in sections())
    if text.count(SIGN) != len(cited):
        yield f"cite sections as “docs/contract.md {SIGN}<number>”"


def bad_citations_in_markdown(text: str) -> Iterator[str]:
    text = without_code(text)
    for link in LINK.finditer(text):
        for number in re.findall(rf"{SIGN}(\d+)", link["text"]):
            anchor = link["target"].partition("#")[2]
            if anchor != sections().get(number):
                yield f"{link[0]}: the anchor is not that of section {number}"
    if SIGN in LINK.sub("", text):
        yield "cite a section of the contract by a link to its heading"


@pytest.mark.parametrize("path", tracked("*.md"), ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_to_an_existing_heading(path: Path) -> None:
    assert list(broken_links(path)) == []


def test_code_cites_existing_sections_of_the_contract_in_one_form() -> None:
    files = {
        path: path.read_text() for path in tracked("*.py", "*.html", "*.js", "*.css", "*.toml", "*.yaml", "Makefile")
    }
    problems = {str(path.relative_to(ROOT)): list(bad_citations_in_code(text)) for path, text in files.items()}

    assert sum(SIGN in text for text in files.values()) > 30
    assert {name: found for name, found in problems.items() if found} == {}


def test_markdown_cites_sections_of_the_contract_by_links() -> None:
    problems = {
        str(path.relative_to(ROOT)): list(bad_citations_in_markdown(path.read_text())) for path in tracked("*.md")
    }

    assert {name: found for name, found in problems.items() if found} == {}


def test_sections_of_the_contract_are_numbered_without_a_gap() -> None:
    assert list(sections()) == [str(number) for number in range(1, len(sections()) + 1)]


@pytest.mark.parametrize(
    "text",
    [
        f"(contract {SIGN}2)",
        f"docs/contract.md {SIGN}99",
        f"docs/contract.md {SIGN} 2",
        f"docs/contract.md {SIGN}2, {SIGN}3",
    ],
)
def test_other_forms_of_citations_are_found(text: str) -> None:
    assert list(bad_citations_in_code(text)) != []


@pytest.mark.parametrize(
    "text", [f"see {SIGN}2", f"[{SIGN}2](contract.md#3-idempotency)", f"[{SIGN}99](contract.md#99-none)"]
)
def test_other_forms_of_citations_in_markdown_are_found(text: str) -> None:
    assert list(bad_citations_in_markdown(text)) != []


def test_broken_links_are_found(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text(
        "# A page\n\n[a](#a-page) [b](#nowhere) [c](none.md) [d](page.md#gone) [e](https://x.example)\n"
    )

    assert list(broken_links(tmp_path / "page.md")) == [
        "[b](#nowhere): no such heading",
        "[c](none.md): no such file",
        "[d](page.md#gone): no such heading",
    ]


def test_every_test_that_the_trust_page_names_is_in_the_file_that_it_links_to() -> None:
    trust = ROOT / "docs" / "trust.md"
    cells = re.findall(r"\[test_\w+\.py\]\((?P<file>[^)]+)\): (?P<names>`\w+`(?:, `\w+`)*)", trust.read_text())
    named = [(trust.parent / file, name) for file, names in cells for name in re.findall(r"\w+", names)]

    assert len(named) > 25
    missing = [name for file, name in named if f"def {name}(" not in file.read_text()]
    assert missing == []
