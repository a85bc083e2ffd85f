"""MedMCQA: four options, Indian medical entrance exams; the validation part is the test split.

File layout (JSON lines): {"id", "question", "opa".."opd", "cop", "subject_name", ...}. `cop`, the
right option, counts from 0 on the hub and from 1 in the authors' files.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kg.shared.errors import InputError
from kg.shared.lines import json_lines
from meg.datasets.settings import MedMCQAConfig
from meg.datasets.source import from_hub, item_id
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
    splits = Splits(once=config.repeated == "drop")
    for i, row in enumerate(train):
        _add(splits, "dev" if i in dev else "train", row)
    for row in test:
        _add(splits, "test", row)
    return splits


def _add(splits: Splits, split: str, row: dict[str, Any]) -> None:
    options = [row.get(option) for option in OPTIONS]
    id, answer = row["id"], row["answer"]
    if answer is None:
        splits.reject(split, id, f"cop is {row.get('cop')!r:.80}, which is no option's number")
    else:
        splits.add(split, id, stem=row.get("question"), options=options, answer=answer)


def _files(folder: Path) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    return _numbered(folder / "train.json"), _numbered(folder / "dev.json")


def _numbered(path: Path) -> list[dict[str, Any]]:
    """The rows of a file, each with an id and an answer."""
    rows = [
        row | {"id": item_id(row, f"{path.stem}-{number}")}
        for number, row in json_lines(path, WHERE)
    ]
    cops = (row.get("cop") for row in rows)
    found = {cop for cop in cops if type(cop) is int and 0 <= cop <= len(OPTIONS)}
    if (0 in found) == (len(OPTIONS) in found):
        raise InputError(
            f"{path}: cop takes the values {sorted(found)}, from which it cannot be told whether "
            f"options are counted from 0 or from 1; {WHERE}"
        )
    return _answered(rows, first=0 if 0 in found else 1)


def _hub() -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    parts = from_hub("openlifescienceai/medmcqa", None, WHERE)
    return _answered(parts["train"]), _answered(parts["validation"])


def _answered(rows: Iterable[dict[str, Any]], first: int = 0) -> list[dict[str, Any]]:
    """Rows with their `answer` counted from 0; None where `cop` names no option."""
    numbers = {first + i: i for i in range(len(OPTIONS))}
    # By type, as True and 1.0 are equal to 1.
    return [
        row | {"answer": numbers.get(row["cop"]) if type(row.get("cop")) is int else None}
        for row in rows
    ]
