"""The figures of the pages are drawn from results, the same each time."""

import importlib.util
import json
from pathlib import Path

from tests.docs.test_links import ROOT


def test_bars_of_a_result(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("figures", ROOT / "docs/figures.py")
    assert spec is not None
    assert spec.loader is not None
    figures = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(figures)
    other = {"accuracy": 0.4, "wilson": [0.3, 0.5]}
    result = {"about": {"variant": "main"}, "accuracy": 0.6, "wilson": [0.5, 0.7]}
    (tmp_path / "r.json").write_text(json.dumps(result | {"comparisons": {"text_only": other}}))
    drawn = []
    for name in ("a", "b"):
        with figures.mpl.rc_context(figures.STYLE):
            figures.draw_demo([tmp_path / "r.json"], tmp_path / f"{name}.svg")
        drawn.append((tmp_path / f"{name}.svg").read_text())
    assert drawn[0] == drawn[1]
    assert "<!-- 60.0 -->" in drawn[0]
    assert "<!-- 40.0 -->" in drawn[0]
