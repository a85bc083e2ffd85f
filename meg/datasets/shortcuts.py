"""What a quiz gives away without the graph: the accuracy of rules that look only at the options."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

from meg.config import QuizKind

__all__ = ["CUES", "Choice", "shortcuts"]

CUES = ("similarity", "degree", "length")
"""Of an option: nearness of its name to the question's, log of its edges, letters of its name."""


@dataclass(frozen=True, eq=False)
class Choice:
    """A question as nodes: `options[answer]` is the right one; `cues` is (option, cue)."""

    kind: QuizKind
    subject: int
    options: tuple[int, ...]
    answer: int
    cues: np.ndarray
    balanced: int
    """How many of the cues, in the order of CUES, were balanced."""


def shortcuts(train: list[Choice], test: list[Choice]) -> dict[str, dict[str, float]]:
    """Rule -> question kind ("all" too) -> accuracy on `test`; a tie counts as a share.

    Besides the lowest and the highest of each cue: the option that was right most often when
    training questions showed it, and the option most like the other options.
    """
    prior = _prior(train)
    rules: dict[str, list[np.ndarray]] = {}
    for i, name in enumerate(CUES):
        rules[f"highest {name}"] = [choice.cues[:, i] for choice in test]
        rules[f"lowest {name}"] = [-choice.cues[:, i] for choice in test]
    rules["right most often in training"] = [
        np.array([prior[i] for i in choice.options]) for choice in test
    ]
    rules["most typical option"] = [-_distance_from_middle(choice.cues) for choice in test]
    return {name: _accuracy(test, scores) for name, scores in rules.items()}


def _accuracy(choices: list[Choice], scores_of: list[np.ndarray]) -> dict[str, float]:
    credits: dict[str, list[float]] = {}
    for choice, scores in zip(choices, scores_of, strict=True):
        best = np.isclose(scores, scores.max())
        for kind in ("all", choice.kind):
            credits.setdefault(kind, []).append(float(best[choice.answer] / best.sum()))
    return {kind: round(float(np.mean(values)), 4) for kind, values in sorted(credits.items())}


def _prior(train: list[Choice]) -> Counter[int]:
    """Node -> how much more often than chance it was right when it was an option."""
    balance: Counter[int] = Counter()
    for choice in train:
        for position, node in enumerate(choice.options):
            balance[node] += len(choice.options) * (position == choice.answer) - 1
    return balance


def _distance_from_middle(cues: np.ndarray) -> np.ndarray:
    scaled = (cues - cues.mean(axis=0)) / (cues.std(axis=0) + 1e-9)
    return np.square(scaled).sum(axis=1)
