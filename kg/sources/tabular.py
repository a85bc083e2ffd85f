"""Tables as people have them: TSV, CSV (plain, .gz or .zst) and parquet, to lazy columns of text.

A CSV reader fills short lines without a word, so every text is checked before it is scanned: UTF-8,
and as many fields in each line as in the first. Fields of a table with TABs are never quoted.
"""

import csv
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from pathlib import Path

import polars as pl

from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.lines import numbered_lines
from kg.sources.settings import PACKED

__all__ = ["find_tables", "one_line", "scan_table"]

_QUOTED_PARTS = '"[^"]*"'


def find_tables(folder: Path, patterns: Iterable[str], next_step: str) -> list[Path]:
    """Files of the folder by name or pattern, packed or not; of the same one the unpacked.

    Raises InputError, with `next_step`, where there is none.
    """
    patterns = list(patterns)
    found: dict[str, Path] = {}
    for pattern in patterns:
        for path in chain.from_iterable(sorted(folder.glob(pattern + end)) for end in PACKED):
            found.setdefault(_unpacked(path), path)
    if not found:
        raise InputError(
            f"{folder} has none of the files {', '.join(patterns)} (nor packed as .gz or .zst); "
            f"{next_step}"
        )
    return list(found.values())


def scan_table(
    path: Path,
    separator: str | None,
    columns: Sequence[str],
    next_step: str,
    comment: str | None = None,
) -> pl.LazyFrame:
    """All columns of a file, checked first, as text; lists of a parquet file stay lists.

    `columns` name the first of a file without a header; without them its first line does.
    `separator` is by default "," in a .csv and a TAB in all others. Lines that begin with
    `comment` are passed over. Raises InputError, with `next_step`, naming the line, where the file
    is not such a table.
    """
    check_file(path, next_step)
    if path.suffix == ".parquet":
        return _scan_parquet(path, next_step)
    separator = separator or ("," if _unpacked(path).endswith(".csv") else "\t")
    quote = None if separator == "\t" else '"'
    first = one_line(path, next_step, comment)
    fields = next(_records([first], separator), [])
    names = [*columns, *(f"column_{n + 1}" for n in range(len(columns), len(fields)))]
    names = names if columns else [name.strip() for name in fields]
    if len(fields) < len(names) or len(set(names)) < len(names):
        raise InputError(
            f"{path} line 1 has the fields {fields}; expected "
            + (f"{len(columns)} or more: {', '.join(columns)}" if columns else "different names")
            + f"; {next_step}"
        )
    _check_lines(path, separator, len(fields), next_step, comment)
    return pl.scan_csv(
        path,
        has_header=not columns,
        separator=separator,
        quote_char=quote,
        comment_prefix=comment,
        empty_string_is_null=False,
        schema=dict.fromkeys(names, pl.String),
    )


def one_line(path: Path, next_step: str, comment: str | None = None) -> str:
    """The first line that is no comment, without a byte-order mark and without what ends it."""
    lines = _without_comments(pl.scan_lines(path), comment).head(1)
    first = _lines(path, next_step, lines)["line"]
    return first[0].removeprefix("\ufeff").rstrip("\r") if len(first) else ""


def _scan_parquet(path: Path, next_step: str) -> pl.LazyFrame:
    try:
        schema = pl.read_parquet_schema(path)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path} is not a whole parquet file: {error}; {next_step}") from error
    texts = [name for name, kind in schema.items() if not isinstance(kind, pl.List)]
    return pl.scan_parquet(path).with_columns(pl.col(texts).cast(pl.String))


def _unpacked(path: Path) -> str:
    return str(path.with_suffix("") if path.suffix in PACKED else path)


def _without_comments(lines: pl.LazyFrame, comment: str | None) -> pl.LazyFrame:
    return lines.filter(~pl.col("line").str.starts_with(comment)) if comment else lines


def _check_lines(
    path: Path, separator: str, fields: int, next_step: str, comment: str | None
) -> None:
    rows = _without_comments(pl.scan_lines(path, row_index_name="row"), comment)
    rows = rows.with_columns(pl.col("line").str.strip_chars_end("\r"))
    other = pl.col("line").str.count_matches(separator, literal=True) != fields - 1
    if separator == "\t":
        bad = rows.filter(other)
    else:
        quoted = pl.col("line").str.contains('"', literal=True)
        bare = pl.col("line").str.replace_all(_QUOTED_PARTS, "")
        bad = rows.filter(other | quoted).with_columns(line=bare).filter(other)
    found = _lines(path, next_step, bad.filter(pl.col("line") != "").head(1))
    if found.height and separator == "\t":
        number, text = found.row(0)
        _raise_width(path, number + 1, text.split(separator), fields, next_step)
    elif found.height:
        _check_records(path, separator, fields, next_step)


def _check_records(path: Path, separator: str, fields: int, next_step: str) -> None:
    """The same where a quoted field may hold a line end: record by record, which is slow."""
    batches = pl.scan_lines(path).collect_batches()
    lines = (f"{line}\n" for batch in batches for line in batch["line"])
    reader = csv.reader(lines, delimiter=separator)
    before = 0
    try:
        for record in reader:
            if len(record) not in (0, fields):
                _raise_width(path, before + 1, record, fields, next_step)
            before = reader.line_num
    except csv.Error as error:
        raise InputError(f"{path} line {before + 1}: {error}; {next_step}") from error


def _raise_width(path: Path, line: int, got: Sequence[str], fields: int, next_step: str) -> None:
    raise InputError(
        f"{path} line {line} has {len(got)} fields, expected {fields} as in the first line: "
        f"{list(got)!r:.200}; is the file truncated? {next_step}"
    )


def _records(lines: Iterable[str], separator: str) -> Iterator[list[str]]:
    if separator == "\t":
        return (line.split(separator) for line in lines)
    return csv.reader(lines, delimiter=separator)


def _lines(path: Path, next_step: str, query: pl.LazyFrame) -> pl.DataFrame:
    """The lines that the query finds; raises InputError where the file cannot be read."""
    try:
        return query.collect(engine="streaming")
    except (pl.exceptions.PolarsError, OSError) as error:
        if not path.name.endswith(".zst"):
            for _ in numbered_lines(path, next_step):  # It names the line.
                pass
        raise InputError(f"{path} cannot be read: {error}; {next_step}") from error
