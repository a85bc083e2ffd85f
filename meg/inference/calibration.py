"""The score of one option as a probability, fitted on dev questions: "is this true?"."""

import logging
from collections.abc import Sequence

import numpy as np

from meg.config import PredictConfig, PromptConfig
from meg.datasets.question import Claim, Question
from meg.inference.answer import predict
from meg.model.reader import Reader
from meg.model.trained import Calibration

__all__ = ["calibrate", "claim"]

MOST, LEAST = 500, 30
"""Questions: more add little, fewer say little."""

log = logging.getLogger(__name__)


def claim(question: Question, option: int) -> Claim:
    """A question with one of its options alone, right or not."""
    mentions = question.mentions
    if mentions is not None:
        mentions = mentions.model_copy(update={"options": (mentions.options[option],)})
    fields = question.model_dump(include={"stem", "context", "kind"}) | {
        "id": f"{question.id}/{option}",
        "options": (question.options[option],),
    }
    return Claim(**fields, answer=0, mentions=mentions, neighbours=question.neighbours)


def calibrate(
    reader: Reader, questions: Sequence[Question], prompt: PromptConfig, seed: int
) -> Calibration | None:
    """Platt scaling of single options' scores; None where there is nothing to be told from them.

    Of each question the right option and a wrong one drawn by `seed`, each alone, so that half of
    the options are right. Platt 1999, "Probabilistic outputs for support vector machines"; the
    logistic regression is scikit-learn's.
    """
    if len(questions) < LEAST:
        log.warning("not calibrated: %d dev questions, at least %d", len(questions), LEAST)
        return None
    # It takes a second to import, which the command's other users need not wait for.
    from sklearn.linear_model import LogisticRegression  # noqa: PLC0415

    rng = np.random.default_rng(seed)
    chosen = [questions[i] for i in rng.permutation(len(questions))[:MOST]]
    claims, right = [], []
    for question in chosen:
        wrong = (question.answer + 1 + rng.integers(len(question.options) - 1)) % len(
            question.options
        )
        claims += [claim(question, question.answer), claim(question, int(wrong))]
        right += [True, False]
    rows = predict(reader, claims, prompt, PredictConfig())
    scores = np.array([row.scores for row in rows])
    fitted = LogisticRegression().fit(scores, right)
    slope, intercept = float(fitted.coef_[0, 0]), float(fitted.intercept_[0])
    if slope <= 0:
        log.warning("not calibrated: right options score no higher than wrong ones on dev")
        return None
    log.info("calibrated on %d options of dev: %.3f * score %+.3f", len(claims), slope, intercept)
    return Calibration(slope=slope, intercept=intercept, claims=len(claims))
