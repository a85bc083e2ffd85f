"""MMLU's medical subjects, for evaluation only: everything read becomes the test split.

File layout: `<split>/<subject>_<split>.csv`, no header: question, four options, the letter.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kg.errors import InputError
from meg.config import MMLUConfig
from meg.datasets.source import from_hub
from meg.datasets.splits import Splits

__all__ = ["read"]

COLUMNS = 6
LETTERS = {"A": 0, "B": 1, "C": 2, "D": 3}
Row = tuple[Any, Any, Any]
"""Stem, options and the right one's number, to be checked by the schema: any may be wrong."""

HUB_SPLITS = {"test": "test", "val": "validation", "dev": "dev"}
WHERE = (
    "fetch data.tar from https://people.eecs.berkeley.edu/~hendrycks/data.tar, unpack it into "
    "data/mmlu/ (so that data/mmlu/test/anatomy_test.csv exists) and name that folder by path"
)


def read(config: MMLUConfig) -> Splits:
    """The subjects' questions; the subject is the kind, the ids are <subject>-<split>-<row>."""
    splits = Splits()
    for subject in config.subjects:
        for number, (stem, options, answer) in enumerate(_rows(config, subject), 1):
            id = f"{subject}-{config.split}-{number}"
            splits.add("test", id, stem=stem, options=options, answer=answer, kind=subject)
    return splits


def _rows(config: MMLUConfig, subject: str) -> Iterator[Row]:
    if config.path is None:
        return _hub(subject, config.split)
    return _file(config.path / config.split / f"{subject}_{config.split}.csv")


def _file(path: Path) -> Iterator[Row]:
    if not path.is_file():
        raise InputError(f"{path} does not exist; {WHERE}")
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.reader(file, strict=True)
        row: list[str] = []
        try:
            for row in reader:
                if len(row) != COLUMNS:
                    raise InputError(
                        f"{path} line {reader.line_num} has {len(row)} columns, expected "
                        f"{COLUMNS} (question, A, B, C, D, letter); fetch the file again"
                    )
                yield row[0], row[1:5], LETTERS.get(row[5].strip(), f"letter {row[5]!r:.20}")
        except (csv.Error, UnicodeDecodeError) as error:
            raise InputError(
                f"{path} line {reader.line_num}: {error}; fetch the file again"
            ) from error
        if not row:
            raise InputError(f"{path} is empty; fetch it again")


def _hub(subject: str, split: str) -> Iterator[Row]:
    for row in from_hub("cais/mmlu", subject, WHERE)[HUB_SPLITS[split]]:
        yield row["question"], row["choices"], row["answer"]
