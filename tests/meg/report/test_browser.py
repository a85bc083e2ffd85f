"""The page in a real browser: chromium draws it in light and in dark, and its tables sort."""

import re
import shutil
import subprocess
from pathlib import Path

import matplotlib.image
import numpy as np
import pytest

from meg.report.figures import Interval, intervals
from meg.report.page import Part, Table, render

BROWSER = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)

pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no chromium or google-chrome: the report page was not drawn"
)

CLICK = "<script>document.querySelectorAll('th')[1].click()</script></body>"
ROWS = [{"run": name, "accuracy": value} for name, value in (("b", 9.5), ("c", 10.5), ("a", None))]


@pytest.fixture
def page(tmp_path: Path) -> Path:
    figure = intervals([Interval("main", 61.9, 58.8, 64.9)], "right answers, %", 25)
    path = tmp_path / "page.html"
    path.write_text(render("Title", "Words.", [Part("Accuracy", "", [figure], [Table(ROWS)])]))
    return path


def browse(page: Path, *options: str) -> str:
    command = [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--window-size=900,600"]
    command += [f"--user-data-dir={page.parent / 'profile'}", *options, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


@pytest.mark.parametrize(("scheme", "light"), [("light", True), ("dark", False)])
def test_is_drawn(page: Path, scheme: str, light: bool) -> None:
    # 0 is dark, 1 is light.
    shot = page.with_suffix(".png")
    browse(page, f"--screenshot={shot}", f"--blink-settings=preferredColorScheme={int(light)}")
    grey = matplotlib.image.imread(shot)[..., :3].mean(-1)
    assert (np.median(grey) > 0.5) == light
    ink = (grey < 0.4) if light else (grey > 0.6)
    assert 0.003 < ink.mean() < 0.3, "text and figure stand out from the paper"


def test_a_click_on_a_heading_sorts(page: Path) -> None:
    page.write_text(page.read_text().replace("</body>", CLICK))
    dom = browse(page, "--dump-dom")
    assert re.findall(r"<tr><td[^>]*>([abc])</td>", dom) == ["c", "b", "a"], "numbers, not texts"
