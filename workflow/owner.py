"""A folder of results belongs to one graph; a configuration can have a folder of its own.

Only the graph's own files carry its name: models, predictions and results are named after data set,
model and variant. So those of a second graph would take the place of the first one's.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kg.shared.errors import InputError
from workflow.layers import Values

__all__ = ["PATHS", "at_home", "check_owner"]

PATHS = (
    ("kg", "folder"),
    ("kg", "hpo", "without"),
    ("kg", "umls", "vocabulary"),
    ("link", "corpus"),
    ("models", "*", "start"),
    *(("datasets", "*", "questions", key) for key in ("path", "test_ids", "without")),
)
"""Keys of files and folders that users bring."""

MODELS = (("features", "model"), ("models", "*", "base"))
"""Keys of such, or of what comes from a hub or a package."""


def check_owner(graphs: Path, name: str) -> None:
    """Raises InputError when the folder `results/kg` holds another graph than that of `name`."""
    found = [path.name for path in graphs.glob("[!.]*") if path.is_dir()]
    others = sorted(set(found) - {name})
    if others:
        raise InputError(
            f"the results here are of the graph {', '.join(others)} ({graphs}), and the "
            f"configuration's kg.name is {name}: its models and results would take their place. "
            f"Give each graph a folder of its own: --config directory=runs/{name}, or the line "
            f"`directory: runs/{name}` in its configuration"
        )


def at_home(values: Mapping[str, Any], home: Path) -> Values:
    """The configuration; where it has a `directory`, what users bring is still sought in `home`."""
    result = dict(values)
    if not values.get("directory"):
        return result
    for keys in PATHS:
        result = _changed(result, keys, home, always=True)
    for keys in MODELS:
        result = _changed(result, keys, home, always=False)
    return result


def _changed(values: Values, keys: tuple[str, ...], home: Path, always: bool) -> Values:
    """With the value at the keys, where it is a path, below `home`; "*" stands for every key."""
    first, *rest = keys
    result = dict(values)
    for key in result if first == "*" else {first} & result.keys():
        value = result[key]
        if rest and isinstance(value, Mapping):
            result[key] = _changed(dict(value), tuple(rest), home, always)
        elif not rest and isinstance(value, str):
            path = home / Path(value).expanduser()
            result[key] = str(path) if always or path.exists() else value
    return result
