"""Two runs' answers to the same questions: who is better, by how much, and is it chance?"""

from collections.abc import Iterable, Sequence

import numpy as np

from kg.shared.errors import InputError
from meg.evaluation import statistics
from meg.evaluation.prediction import Prediction
from meg.evaluation.result import Difference

__all__ = ["compare"]

SHOWN = 5
"""Ids of questions that an error names, of each sort."""


def compare(predictions: list[Prediction], other: list[Prediction], name: str) -> Difference:
    """How much better `predictions` are than those of the run `name` on the same questions.

    Raises InputError, naming the ids, unless both hold the same ids with the same right answers.
    """
    _check(predictions, other, name)
    by_id = {row.id: row for row in other}
    right = np.array([row.right for row in predictions])
    before = np.array([by_id[row.id].right for row in predictions])
    return Difference(
        accuracy=float(before.mean()),
        wilson=statistics.wilson(before),
        difference=float(right.mean() - before.mean()),
        interval=statistics.tango(right, before),
        gained=int((right & ~before).sum()),
        lost=int((before & ~right).sum()),
        mcnemar_p=statistics.mcnemar(right, before),
    )


def _check(predictions: Sequence[Prediction], other: Sequence[Prediction], name: str) -> None:
    ours, theirs = ({row.id: row.answer for row in rows} for rows in (predictions, other))
    differences = {
        "only here": ours.keys() - theirs.keys(),
        f"only in {name}": theirs.keys() - ours.keys(),
        "with another right answer": {
            id for id in ours.keys() & theirs.keys() if ours[id] != theirs[id]
        },
    }
    found = [f"{len(ids)} {sort} ({_named(ids)})" for sort, ids in differences.items() if ids]
    if found:
        raise InputError(
            f"{name} did not answer the same questions ({len(ours)} here, {len(theirs)} there): "
            f"{', '.join(found)}; predict both runs on the same file"
        )


def _named(ids: Iterable[str]) -> str:
    first, *rest = sorted(ids)
    return ", ".join([first, *rest[: SHOWN - 1], *(["..."] if len(rest) >= SHOWN else [])])
