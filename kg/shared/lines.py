"""Text files as every reader needs them: lines, rows of tables, JSON.

UTF-8 with a byte-order mark or without; a name that ends in .gz is unpacked.
"""

import codecs
import gzip
import json
import zlib
from collections.abc import Container, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from kg.shared.errors import InputError

__all__ = [
    "Identified",
    "json_lines",
    "json_object",
    "model_lines",
    "numbered_lines",
    "read_text",
    "require_known",
    "table_rows",
]


class Identified(BaseModel):
    """What has a line of its own in a JSON-lines file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str = Field(min_length=1)


Model = TypeVar("Model", bound=Identified)


def numbered_lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with their numbers, and without what ends them.

    Only "\\n" ends a line, "\\r" before it goes. Raises InputError, with `next_step`, for a file
    that is missing or not UTF-8.
    """
    for number, line in _lines(path, next_step):
        yield number, line.rstrip("\r\n")


def table_rows(
    path: Path, columns: str, widths: Container[int], next_step: str, comment: str | None = None
) -> Iterator[tuple[int, list[str]]]:
    """The fields of each line of a table with a TAB between columns, with the line's number.

    All lines have as many fields as the first, one of `widths`; `columns` says what they are.
    Lines that start with `comment` are passed over. Raises InputError, with `next_step`, for a line
    of another width and for a last line without an end: the file may have been cut off inside it.
    """
    width = None
    for number, line in _lines(path, next_step):
        if comment is not None and line.startswith(comment):
            continue
        fields = line.rstrip("\r\n").split("\t")
        width = width or len(fields)
        if len(fields) != width or width not in widths:
            raise InputError(
                f"{path} line {number} has {len(fields)} columns with TABs between, expected "
                f"{columns}: {line[:200]!r}; is the file truncated? {next_step}"
            )
        if not line.endswith("\n"):
            raise InputError(
                f"{path} line {number}, the last one, has no line end: {line[-80:]!r}; is the file "
                f"truncated? {next_step}, or end the line if it is whole"
            )
        yield number, fields


def read_text(path: Path, next_step: str) -> str:
    """The whole file. Raises InputError, with `next_step`, where it is missing or not UTF-8."""
    return "".join(text for _, text in _all_lines(path, next_step))


def json_lines(
    path: Path, next_step: str, may_be_empty: bool = False
) -> Iterator[tuple[int, dict[str, Any]]]:
    """The object of each line that is not empty, with the line's number.

    Raises InputError, with `next_step`, on a line that is no JSON object or has a key twice, and
    unless it `may_be_empty` for a file without an object.
    """
    number = 0
    for number, line in numbered_lines(path, next_step):
        yield number, _object(line, f"{path} line {number}", next_step)
    if not number and not may_be_empty:
        raise InputError(f"{path} is empty; {next_step}")


def json_object(path: Path, next_step: str) -> dict[str, Any]:
    """The one object of a JSON file; anything else raises InputError with `next_step`."""
    return _object(read_text(path, next_step), str(path), next_step)


def model_lines(path: Path, model: type[Model], next_step: str) -> Iterator[Model]:
    """Each line as a `model`, whose id stands once in a file.

    Raises InputError, with `next_step`, naming line and field.
    """
    ids: set[str] = set()
    for number, line in numbered_lines(path, next_step):
        where = f"{path} line {number}"
        try:
            row = model.model_validate_json(line)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(map(str, first["loc"])) or model.__name__.lower()
            raise InputError(f"{where}: {field}: {first['msg']}; {next_step}") from error
        if row.id in ids:
            raise InputError(f"{where}: the id {row.id} stands twice; {next_step}")
        ids.add(row.id)
        yield row


def _lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, with what ends them."""
    return ((number, line) for number, line in _all_lines(path, next_step) if line.strip(" \r\n"))


def _all_lines(path: Path, next_step: str) -> Iterator[tuple[int, str]]:
    """Every line with its end; a byte-order mark is no part of the first."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; {next_step}")
    number = 0
    try:
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            for number, line in enumerate(file, 1):
                yield number, line.removeprefix(codecs.BOM_UTF8 if number == 1 else b"").decode()
    except UnicodeDecodeError as error:
        raise InputError(
            f"{path} line {number} is not UTF-8 ({error.reason}); copy it again"
        ) from error
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        place = f"after line {number}" if number else "at all"
        raise InputError(f"{path} cannot be unpacked {place} ({error}); copy it again") from error


def _object(text: str, where: str, next_step: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=partial(_unique, where))
    except json.JSONDecodeError as error:
        raise InputError(
            f"{where} is not JSON ({error}); is the file truncated? {next_step}"
        ) from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON object, got {text.strip()[:80]!r}; {next_step}")
    return value


def _unique(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two equal keys Python would silently keep the last."""
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise InputError(f"{where}: the key {twice!r:.80} stands twice")
    return value


def require_known(what: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    """Raise InputError, listing the known values, when a wanted one is not among them."""
    values = sorted(set(known))
    for value in wanted:
        if value not in values:
            listed = ", ".join(values) or "none"
            raise InputError(f"unknown {what} {value!r} in the config; known: {listed}")
