"""What readers of data sets share: an item's id, and rows of the hub through `datasets`."""

import importlib
from collections.abc import Mapping
from typing import Any

from kg.shared.errors import InputError

__all__ = ["from_hub", "item_id"]


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
