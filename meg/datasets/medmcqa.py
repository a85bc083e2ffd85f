"""MedMCQA: four options, Indian medical entrance exams; the validation part is the test split.

File layout (JSON lines): {"id", "question", "opa".."opd", "cop", "subject_name", ...}. `cop`, the
right option, counts from 0 on the hub and from 1 in the authors' files.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kg.errors import InputError
from meg.config import MedMCQAConfig
from meg.datasets.source import from_hub, json_lines
from meg.datasets.splits import Splits

__all__ = ["read"]

OPTIONS = ("opa", "opb", "opc", "opd")
WHERE = (
    "fetch the data set by the link on https://github.com/medmcqa/medmcqa, put train.json and "
    "dev.json into data/medmcqa/ and name that folder by path"
)


def read(config: MedMCQAConfig) -> Splits:
    """Train and dev from the training questions, test from the validation questions."""
    train, test = _hub() if config.path is None else _files(config.path)
    drawn = np.random.default_rng(config.seed).permutation(len(train))[: config.dev]
    dev = set(drawn.tolist())
    splits = Splits()
    for i, row in enumerate(train):
        _add(splits, "dev" if i in dev else "train", row)
    for row in test:
        _add(splits, "test", row)
    return splits


def _add(splits: Splits, split: str, row: dict[str, Any]) -> None:
    options = [row.get(option) for option in OPTIONS]
    splits.add(split, row["id"], stem=row.get("question"), options=options, answer=row["answer"])


def _files(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return _numbered(folder / "train.json"), _numbered(folder / "dev.json")


def _numbered(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, each with its `answer` counted from 0, and an id."""
    if not path.is_file():
        raise InputError(f"{path} does not exist; {WHERE}")
    rows = []
    for number, row in json_lines(path):
        cop = row.get("cop")
        if type(cop) is not int or not 0 <= cop <= len(OPTIONS):
            raise InputError(f"{path} line {number}: cop is {cop!r:.80}, expected 0 to 3 or 1 to 4")
        rows.append({"id": f"{path.stem}-{number}"} | row)
    found = {row["cop"] for row in rows}
    if (0 in found) == (len(OPTIONS) in found):
        raise InputError(
            f"{path}: cop takes the values {sorted(found)}, from which it cannot be told whether "
            f"options are counted from 0 or from 1; {WHERE}"
        )
    first = 0 if 0 in found else 1
    return [row | {"answer": row["cop"] - first} for row in rows]


def _hub() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    parts = from_hub("openlifescienceai/medmcqa", None, WHERE)
    return _answered(parts["train"]), _answered(parts["validation"])


def _answered(rows: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"answer": row["cop"]} for row in rows]
