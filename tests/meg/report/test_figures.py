"""Figures as SVG."""

import re
from xml.etree import ElementTree

from meg.report.figures import Curve, Interval, curves, intervals

ROWS = [Interval("main", 59.0, 54.1, 63.7), Interval("text only", 42.7, 37.9, 47.6)]


class TestIntervals:
    def test_names_and_numbers_can_be_read(self) -> None:
        text = "".join(ElementTree.fromstring(intervals(ROWS, "right, %", 25)).itertext())
        for word in ("main", "text only", "59.0", "42.7", "right, %"):
            assert word in text

    def test_follows_the_colours_of_the_page(self) -> None:
        svg = intervals(ROWS, "right, %")
        assert "currentColor" in svg
        assert "#000000" not in svg
        assert "#ffffff" not in svg


class TestCurves:
    def test_an_odd_number_of_panels(self) -> None:
        panels = {name: [Curve("loss", [1, 2], [2.0, 1.0])] for name in ("one", "two", "three")}
        text = "".join(ElementTree.fromstring(curves(panels, "step")).itertext())
        assert [word in text for word in panels] == [True] * 3

    def test_ids_differ_between_figures(self) -> None:
        panel = {"one": [Curve("loss", [1, 2], [2.0, 1.0])]}
        first, second = (set(re.findall(r'clipPath id="(\w+)"', curves(panel, ""))) for _ in "ab")
        assert first
        assert not first & second
