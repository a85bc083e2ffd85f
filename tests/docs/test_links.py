"""Links of the pages lead somewhere: files, headings, and the pages that code and messages name."""

import re
import subprocess
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)|!\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
NAMED = re.compile(r"\bdocs/[\w/.-]+\.md\b")


def tracked(*patterns: str) -> list[Path]:
    """Files of the repository that git knows, or would take."""
    listing = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", *patterns],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [path for name in listing.stdout.splitlines() if (path := ROOT / name).is_file()]


@cache
def headings(page: Path) -> set[str]:
    """The anchors of a page, as GitHub and Material make them."""
    text = FENCE.sub("", page.read_text())
    titles = re.findall(r"^#+ +(.*)$", text, re.MULTILINE)
    slugs = [re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", "-") for title in titles]
    return {*slugs, *re.findall(r'id="([^"]+)"', text)}


PAGES = tracked("*.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_of_a_page(page: Path) -> None:
    broken = []
    for groups in LINK.findall(FENCE.sub("", page.read_text())):
        link = groups[0] or groups[1]
        if re.match(r"https?:|mailto:", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (anchor and anchor not in headings(target)):
            broken.append(link)
    assert broken == []


def test_pages_named_in_code_exist() -> None:
    sources = tracked("*.py", "*.smk", "*.yaml", "*.sh", "*.toml", "*.txt", "Makefile", "Snakefile")
    named = {
        (str(source.relative_to(ROOT)), name)
        for source in sources
        for name in NAMED.findall(source.read_text())
    }
    assert len(named) > 20
    assert [pair for pair in sorted(named) if not (ROOT / pair[1]).is_file()] == []
