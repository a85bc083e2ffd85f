"""MMLU's medical subjects, for evaluation only: everything read becomes the test split.

File layout: `<split>/<subject>_<split>.csv`, no header: question, four options, the letter. A copy
in circulation has a header (question,choice0,choice1,choice2,choice3,answer) and answers 0 to 3.
"""

import csv
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kg.shared.errors import InputError
from kg.shared.lines import read_text
from meg.datasets.settings import MMLUConfig
from meg.datasets.source import from_hub
from meg.datasets.splits import Splits

__all__ = ["read"]

COLUMNS = 6
LAYOUT = "question, four options and A to D; or 0 to 3, below a header that ends in answer or not"
LETTERS = {"A": 0, "B": 1, "C": 2, "D": 3}
NUMBERS = {str(number): number for number in range(4)}
Row = tuple[Any, Any, Any]
"""Stem, options and the right one's number, to be checked by the schema: any may be wrong."""

HUB_SPLITS = {"test": "test", "val": "validation", "dev": "dev"}
WHERE = (
    "fetch data.tar from https://people.eecs.berkeley.edu/~hendrycks/data.tar, unpack it into "
    "data/mmlu/ (so that data/mmlu/test/anatomy_test.csv exists) and name that folder by path"
)


def read(config: MMLUConfig) -> Splits:
    """The subjects' questions; the subject is the kind, the ids are <subject>-<split>-<row>."""
    splits = Splits(once=config.repeated == "drop")
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
    rows = _rows_of(path)
    names = [name.strip().casefold() for name in rows[0]]
    if "question" in names and "answer" in names:
        if (names[0], names[-1]) != ("question", "answer"):
            raise InputError(f"{path} line 1 is the header {','.join(rows[0])}; expected {LAYOUT}")
        rows = rows[1:]
    answers = _answers(path, {row[-1].strip() for row in rows})
    for row in rows:
        yield row[0], row[1:5], answers.get(row[-1].strip(), f"answer {row[-1]!r:.20}")


def _rows_of(path: Path) -> list[list[str]]:
    """The rows that are not empty, each of six fields."""
    reader = csv.reader(io.StringIO(read_text(path, WHERE), newline=""), strict=True)
    rows = []
    try:
        for row in filter(None, reader):
            if len(row) != COLUMNS:
                raise InputError(
                    f"{path} line {reader.line_num} has {len(row)} columns, expected {COLUMNS}: "
                    f"{LAYOUT}; fetch the file again"
                )
            rows.append(row)
    except csv.Error as error:
        raise InputError(
            f"{path} line {reader.line_num}: {error}; expected {LAYOUT}; fetch the file again"
        ) from error
    if not rows:
        raise InputError(f"{path} is empty; fetch it again")
    return rows


def _answers(path: Path, found: set[str]) -> dict[str, int]:
    """Which option each answer names: letters, or numbers in a file that has no letter."""
    if found & LETTERS.keys() or not found & NUMBERS.keys():
        return LETTERS
    if "0" not in found and "4" in found:
        raise InputError(f"{path} seems to count answers from 1 to 4; expected {LAYOUT}")
    return NUMBERS


def _hub(subject: str, split: str) -> Iterator[Row]:
    for row in from_hub("cais/mmlu", subject, WHERE)[HUB_SPLITS[split]]:
        yield row["question"], row["choices"], row["answer"]
