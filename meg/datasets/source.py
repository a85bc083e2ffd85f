"""Where a data set's rows come from: a file of the user's, or the hub through `datasets`."""

import importlib
import json
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from kg.errors import InputError

__all__ = ["from_hub", "item_id", "json_lines", "json_object"]


def json_lines(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """(line number, object) of a JSON-lines file; a bad line raises InputError."""
    with path.open(encoding="utf-8", newline="\n") as file:
        number = 0
        try:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield number, _object(line, f"{path} line {number}")
        except UnicodeDecodeError as error:
            raise InputError(f"{path} is not UTF-8 ({error}); fetch it again") from error
        if not number:
            raise InputError(f"{path} is empty; fetch it again")


def json_object(path: Path) -> dict[str, Any]:
    """The one object of a JSON file; anything else raises InputError."""
    try:
        return _object(path.read_text(encoding="utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not UTF-8 ({error}); fetch it again") from error


def item_id(row: Mapping[str, Any], otherwise: str) -> str:
    """The item's own id as text; `otherwise` where it has none, or null."""
    own = row.get("id")
    return otherwise if own is None else str(own)


def from_hub(name: str, part: str | None, advice: str) -> Mapping[str, Any]:
    """Split -> rows of a data set on the hub; `advice` says which file would do instead.

    Raises InputError when `datasets` is not installed or the data set cannot be had.
    """
    try:
        datasets = importlib.import_module("datasets")
    except ImportError as error:
        raise InputError(
            f"{name} is read from the hub by the package datasets, which is not installed: "
            f"`pip install datasets`, or {advice}"
        ) from error
    try:
        return datasets.load_dataset(name, part)
    # The library passes on whatever its network layers raise.
    except (OSError, ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())[:200]
        raise InputError(f"{name} cannot be had from the hub ({reason}); {advice}") from error


def _unique(where: str, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object; of two equal keys Python would silently keep the last."""
    value = dict(pairs)
    if len(value) < len(pairs):
        twice = next(key for i, (key, _) in enumerate(pairs) if key in dict(pairs[:i]))
        raise InputError(f"{where}: the key {twice!r:.80} stands twice")
    return value


def _object(text: str, where: str) -> dict[str, Any]:
    try:
        value = json.loads(text, object_pairs_hook=partial(_unique, where))
    except json.JSONDecodeError as error:
        raise InputError(f"{where}: not JSON ({error}); is the file cut short?") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: expected a JSON object, got {type(value).__name__}")
    return value
