"""Questions that two runs answered, to be read: what the graph's vectors changed and what not."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import polars as pl

from meg.datasets.question import Question, read_questions
from meg.evaluation.prediction import Prediction, read_predictions
from meg.report.contents import Row, RunFiles

__all__ = ["answers"]

CASES = {
    (True, False): ("right only with vectors", 4),
    (False, True): ("right only without", 4),
    (True, True): ("both right", 2),
    (False, False): ("both wrong", 2),
}
"""(this run right, the other right) -> what it is called, how many are shown."""


def answers(run: RunFiles, other: RunFiles, concepts: Path) -> list[Row]:
    """The first test questions of each case, in the file's order: a draw nobody made."""
    questions = {question.id: question for question in read_questions(run.questions)}
    theirs = {row.id: row for row in read_predictions(other.predictions)}
    pairs = [(row, theirs[row.id]) for row in read_predictions(run.predictions)]
    chosen = [
        (case, own, their)
        for key, (case, most) in CASES.items()
        for own, their in islice((p for p in pairs if _key(*p) == key), most)
    ]
    names = _names(concepts, [cui for _, own, _ in chosen for cui in own.concepts])
    return [
        {
            "case": case,
            "question": questions[own.id].stem,
            "correct answer": questions[own.id].options[own.answer],
            run.variant: _said(own, questions[own.id]),
            other.variant: _said(their, questions[own.id]),
            "concepts injected": ", ".join(names.get(cui, cui) for cui in own.concepts),
            "options": "; ".join(questions[own.id].options),
        }
        for case, own, their in chosen
    ]


def _key(own: Prediction, their: Prediction) -> tuple[bool, bool]:
    return own.prediction == own.answer, their.prediction == their.answer


def _said(row: Prediction, question: Question) -> str:
    if row.prediction is None:
        return f"(unanswered) {row.text}"
    return question.options[row.prediction]


def _names(concepts: Path, cuis: Sequence[str]) -> dict[str, str]:
    table = pl.scan_parquet(concepts).select("cui", "name")
    found = table.filter(pl.col("cui").is_in(list(dict.fromkeys(cuis)))).collect()
    return dict(found.iter_rows())
