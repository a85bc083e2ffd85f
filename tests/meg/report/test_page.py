"""The HTML of the page."""

import re

import pytest

from meg.report.page import Part, Table, render, turned


def page(*parts: Part) -> str:
    return render("A title", "What it is.", parts)


def cells(html: str) -> list[str]:
    return re.findall(r"<td[^>]*>(.*?)</td>", html, re.S)


class TestTable:
    def test_columns_of_all_rows_in_order(self) -> None:
        table = Table([{"a": 1}, {"b": 2, "a": 3}])
        assert table.columns == ["a", "b"]
        assert cells(page(Part("T", tables=[table]))) == ["1", "", "3", "2"]

    @pytest.mark.parametrize(
        ("value", "shown"),
        [(1234567, "1,234,567"), (59.04, "59.0"), (0.1234, "0.123"), (25.0, "25.0"), (None, "")],
    )
    def test_numbers_as_a_person_reads_them(self, value: float | None, shown: str) -> None:
        assert cells(page(Part("T", tables=[Table([{"x": value}])]))) == [shown]

    def test_tiny_numbers_do_not_become_zero(self) -> None:
        assert cells(page(Part("T", tables=[Table([{"p": 3.2e-9}])]))) == ["3e-09"]

    def test_sorts_by_the_exact_number(self) -> None:
        assert 'data-value="0.12345"' in page(Part("T", tables=[Table([{"x": 0.12345}])]))

    def test_headings_of_numbers_stand_over_them(self) -> None:
        html = page(Part("T", tables=[Table([{"a": 1, "b": "x"}, {"a": None, "b": 2}])]))
        assert re.findall(r"<th scope=\"col\"( class=\"number\")?>(.)", html) == [
            (' class="number"', "a"),
            ("", "b"),
        ]

    def test_empty_one_is_left_out(self) -> None:
        assert "<table" not in page(Part("T", tables=[Table([])]))


class TestTurned:
    def test_rows_become_columns(self) -> None:
        rows = [{"": "a", "x": 1, "y": 2}, {"": "b", "x": 3}]
        assert turned(rows) == [{"": "x", "a": 1, "b": 3}, {"": "y", "a": 2, "b": None}]

    def test_of_none_is_none(self) -> None:
        assert turned([]) == []


class TestPage:
    def test_escapes_what_it_is_told(self) -> None:
        html = page(Part("<T>", "a < b", tables=[Table([{"<k>": "<script>"}])]))
        assert "<script>" not in cells(html)[0]
        assert "&lt;T&gt;" in html

    def test_holds_figures_as_they_are(self) -> None:
        assert "<svg><g/></svg>" in page(Part("T", figures=["<svg><g/></svg>"]))

    def test_needs_nothing_from_outside(self) -> None:
        assert not re.findall(r"""(?:src|href)=["'](?!#)""", page(Part("T", "text")))
