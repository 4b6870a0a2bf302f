"""Every paragraph, link and file that the repository cites is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RULES = ROOT / "docs" / "rules.md"
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob(".github/*.md")])
SOURCES = sorted(
    path
    for folder in ("bot", "handlers", "storage", "sandbox", "tests")
    for path in (ROOT / folder).rglob("*.py")
)
#: `rules.md §4`, also `rules.md §8.3, §8.12` and `rules.md §8.6–8.8`, with a line break between.
CITATION = re.compile(r"rules\.md((?:,?(?:\s|#:?)*(?:and\s)?§\d+[a-z]?(?:\.\d+)?(?:–\d+\.\d+)?)+)")
PARAGRAPH = re.compile(r"§?(\d+[a-z]?)(?:\.(\d+))?")
#: A path in code quotes, or as the target of a link.
NAMED_FILE = re.compile(r"`((?:bot|handlers|storage|sandbox|tests|docs|deploy)/[\w./-]*)`")
LINK = re.compile(r"\]\(([^)\s]+)\)")


def paragraphs() -> set[str]:
    """The numbers that rules.md has: `4`, `2a`, and `8.15` for the items of a numbered list."""
    found: set[str] = set()
    heading = ""
    for line in RULES.read_text(encoding="utf-8").splitlines():
        if match := re.match(r"## (\d+[a-z]?)\. ", line):
            heading = match[1]
            found.add(heading)
        elif match := re.match(r"(\d+)\. ", line):
            found.add(f"{heading}.{match[1]}")
    return found


def cited(text: str) -> Iterator[str]:
    for citation in CITATION.findall(text):
        for number, item in PARAGRAPH.findall(citation):
            yield f"{number}.{item}" if item else number


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def name_of(path: Path) -> str:
    return str(path.relative_to(ROOT))


def test_rules_md_has_the_paragraphs_and_the_eighteen_invariants_that_the_code_cites() -> None:
    expected = {"1", "2", "2a", "2b", *map(str, range(3, 11))}

    assert expected <= paragraphs()
    assert {f"8.{number}" for number in range(1, 19)} == {
        number for number in paragraphs() if "." in number
    }


def test_every_citation_of_rules_md_in_the_code_resolves() -> None:
    known = paragraphs()
    citations = [
        (name_of(path), number)
        for path in SOURCES
        for number in cited(path.read_text(encoding="utf-8"))
    ]

    assert len(citations) > 80
    assert [one for one in citations if one[1] not in known] == []


def test_a_citation_of_a_paragraph_that_rules_md_lacks_is_found() -> None:
    assert list(cited("(rules.md §4, §8.3; rules.md §8.6–8.8 and rules.md\n    §2b)")) == [
        "4",
        "8.3",
        "8.6",
        "8.8",
        "2b",
    ]
    assert "8.19" not in paragraphs()


def test_the_pages_cite_only_paragraphs_that_rules_md_has() -> None:
    in_rules = set(re.findall(r"\(§(\d+[a-z]?)", RULES.read_text(encoding="utf-8")))
    elsewhere = {
        number
        for page in PAGES
        for number in re.findall(r"\[rules §(\d+[a-z]?)\]", page.read_text(encoding="utf-8"))
    }

    assert elsewhere
    assert in_rules | elsewhere <= paragraphs()


def test_the_code_cites_no_page_that_the_repository_lacks() -> None:
    pages = {page.name for page in PAGES} | {"history.md"}  # of the recorded storages
    unknown = {
        (name_of(path), page)
        for path in SOURCES
        if "fixtures" not in path.parts
        for page in re.findall(r"[\w-]+\.md\b", path.read_text(encoding="utf-8"))
        if page not in pages
    }

    assert unknown == set()


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_link_resolves(page: Path) -> None:
    broken = []
    for target in LINK.findall(page.read_text(encoding="utf-8")):
        if re.match("https?:|mailto:", target):
            continue
        path, _, anchor = target.partition("#")
        file = (page.parent / path).resolve() if path else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(target)

    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_file_that_a_page_names_exists(page: Path) -> None:
    named = NAMED_FILE.findall(page.read_text(encoding="utf-8"))

    assert [path for path in named if not (ROOT / path).exists()] == []


def test_every_page_is_linked_from_another() -> None:
    linked = set(
        chain.from_iterable(
            (
                (page.parent / target.partition("#")[0]).resolve()
                for target in LINK.findall(page.read_text(encoding="utf-8"))
            )
            for page in PAGES
        )
    )

    assert [name_of(page) for page in (ROOT / "docs").rglob("*.md") if page not in linked] == []


def test_the_readme_has_about_ninety_lines_and_a_picture() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")

    assert 60 <= len(readme.splitlines()) <= 100
    assert "![" in readme
