"""The page: sections of text, figures and tables as one HTML file without outside parts."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from meg.report.contents import Row

__all__ = ["Part", "Table", "render", "turned"]


@dataclass(frozen=True)
class Table:
    """Rows with the same columns; numbers are right-aligned and sort as numbers."""

    rows: Sequence[Row]
    caption: str = ""

    @property
    def columns(self) -> list[str]:
        """Columns of any row, in the order they first appear."""
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def is_numeric(self, column: str) -> bool:
        """Whether the column has nothing but numbers."""
        values = [row[column] for row in self.rows if row.get(column) is not None]
        return bool(values) and all(isinstance(value, int | float) for value in values)


@dataclass(frozen=True)
class Part:
    """A section of the page."""

    title: str
    text: str = ""
    figures: Sequence[str] = ()
    """SVG elements."""
    tables: Sequence[Table] = field(default=())


def turned(rows: Sequence[Row]) -> list[Row]:
    """Rows as columns, headed by what stands in their first column: many measures of a few."""
    if not rows:
        return []
    first, *others = Table(rows).columns
    return [{first: name} | {str(row[first]): row.get(name) for row in rows} for name in others]


def render(title: str, introduction: str, parts: Sequence[Part]) -> str:
    """The HTML of the page; texts are escaped, figures are put in as they are."""
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    environment.filters["shown"] = _shown
    environment.filters["svg"] = Markup
    environment.tests["numeric"] = lambda value: isinstance(value, int | float)
    template = environment.from_string(TEMPLATE)
    return template.render(title=title, introduction=introduction, parts=parts)


def _shown(value: Any) -> str:
    """Numbers as a person reads them: thousands apart, three digits at most behind the point."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return str(value)
    if isinstance(value, int):
        return f"{value:,}"
    if 0 < abs(value) < 0.0005:
        return f"{value:.0e}"
    return f"{value:,.1f}" if abs(value) >= 10 or value == round(value, 1) else f"{value:.3f}"


TEMPLATE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{ title }}</title>
<style>
:root { --ink: #1c2024; --paper: #ffffff; --faint: #667; --line: #dde; --band: #f6f7f9; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4e6ea; --paper: #15181c; --faint: #9aa3ad; --line: #333a42; --band: #1d2127; }
}
body { margin: 2rem auto; max-width: 76rem; padding: 0 1rem; color: var(--ink);
       background: var(--paper); font: 16px/1.55 system-ui, sans-serif; }
h1 { font-size: 1.7rem; margin-bottom: .3rem; }
h2 { font-size: 1.25rem; margin-top: 2.5rem; border-bottom: 1px solid var(--line); }
p { max-width: 46rem; }
nav { display: flex; flex-wrap: wrap; gap: .3rem 1rem; }
a { color: inherit; }
svg { max-width: 100%; height: auto; }
svg text { font-family: system-ui, sans-serif !important; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: 1rem 0; }
caption { text-align: left; color: var(--faint); padding-bottom: .3rem; }
th, td { padding: .25rem .7rem; text-align: left; border-bottom: 1px solid var(--line); }
th { cursor: pointer; vertical-align: bottom; }
td.long { min-width: 9rem; }
th::after { content: attr(data-arrow); }
.number { text-align: right; font-variant-numeric: tabular-nums; }
td.number { white-space: nowrap; }
tbody tr:nth-child(even) { background: var(--band); }
</style>
</head>
<body>
<h1>{{ title }}</h1>
<p>{{ introduction }}</p>
<nav>{% for part in parts %}<a href="#part{{ loop.index }}">{{ part.title }}</a>{% endfor %}</nav>
{% for part in parts %}
<section id="part{{ loop.index }}">
<h2>{{ part.title }}</h2>
{% if part.text %}<p>{{ part.text }}</p>{% endif %}

{% for figure in part.figures %}
<div class="scroll">{{ figure | svg }}</div>
{% endfor %}
{% for table in part.tables if table.rows %}
<div class="scroll"><table>
{% if table.caption %}<caption>{{ table.caption }}</caption>{% endif %}

<thead><tr>{% for name in table.columns %}<th scope="col"
{%- if table.is_numeric(name) %} class="number"{% endif %}>{{ name }}</th>{% endfor %}</tr></thead>
<tbody>
{% for row in table.rows %}
<tr>{% for name in table.columns %}<td
{%- if row[name] is numeric %} class="number" data-value="{{ row[name] }}"
{%- elif row[name] is string and row[name] | length > 25 %} class="long"{% endif %}>
{{- row[name] | shown }}</td>{% endfor %}</tr>
{% endfor %}
</tbody></table></div>
{% endfor %}
</section>
{% endfor %}
<script>
// A click on a heading sorts by its column, a second click the other way.
for (const head of document.querySelectorAll("th")) {
  head.addEventListener("click", () => {
    const body = head.closest("table").tBodies[0];
    const down = head.dataset.arrow !== " \\u25be";
    for (const other of head.parentNode.children) other.dataset.arrow = "";
    head.dataset.arrow = down ? " \\u25be" : " \\u25b4";
    const key = (row) => {
      const cell = row.cells[head.cellIndex];
      return cell.dataset.value === undefined ? cell.textContent : Number(cell.dataset.value);
    };
    const order = (a, b) => (key(a) < key(b) ? -1 : key(a) > key(b) ? 1 : 0) * (down ? -1 : 1);
    body.append(...[...body.rows].sort(order));
  });
}
</script>
</body>
</html>
"""
