"""The page in a real browser: drawn in light and in dark, narrow and wide, and its tables sort."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from meg.report.figures import Interval, intervals
from meg.report.page import Part, Table, render
from tests.browser import Page, browser, needs_browser

pytestmark = needs_browser

ROWS = [{"run": name, "accuracy": value} for name, value in (("b", 9.5), ("c", 10.5), ("a", None))]
LONG = "Autosomal recessive limb-girdle muscular dystrophy type 2Y"
WIDE = [{f"column {i}": LONG for i in range(7)}]
"""As wide as the table of answers."""


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    with browser(tmp_path_factory.mktemp("profile")) as page:
        yield page


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    figure = intervals([Interval("main", 61.9, 58.8, 64.9)], "right answers, %", 25)
    parts = [Part("Accuracy", "", [figure], [Table(ROWS)]), Part("Answers", "", [], [Table(WIDE)])]
    parts += [Part(f"Of section {i}", "Words.") for i in range(9)]
    path = tmp_path_factory.mktemp("report") / "page.html"
    path.write_text(render("Title", "Words.", parts))
    return path.as_uri()


@pytest.mark.parametrize("dark", [False, True])
def test_is_drawn(window: Page, url: str, tmp_path: Path, dark: bool) -> None:
    window.open(url, 900, 600, dark)
    window.screenshot(tmp_path / "page.png")
    grey = matplotlib.image.imread(tmp_path / "page.png")[..., :3].mean(-1)
    assert (np.median(grey) < 0.5) == dark
    ink = (grey > 0.6) if dark else (grey < 0.4)
    assert 0.003 < ink.mean() < 0.3, "text and figure stand out from the paper"


def test_a_click_on_a_heading_sorts(window: Page, url: str) -> None:
    window.open(url, 900)
    window.run("document.querySelectorAll('th')[1].click()")
    cells = "[...document.querySelector('tbody').rows].map(row => row.cells[0].textContent)"
    assert window.run(cells) == ["c", "b", "a"], "numbers, not texts"


@pytest.mark.parametrize("width", [1280, 390])
def test_never_scrolls_sideways(window: Page, url: str, width: int) -> None:
    window.open(url, width)
    assert window.wider() == 0


def test_no_table_scrolls_on_a_wide_screen(window: Page, url: str) -> None:
    window.open(url, 1280)
    wider = "[...document.querySelectorAll('.scroll')].map(e => e.scrollWidth - e.clientWidth)"
    assert max(window.run(wider)) == 0
