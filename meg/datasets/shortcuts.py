"""What a quiz gives away without the graph: the accuracy of rules that look only at the options."""

from collections import Counter
from dataclasses import dataclass

import numpy as np

__all__ = ["CUES", "RULES", "Choice", "prior", "rule_credits", "shortcuts"]

CUES = ("similarity", "degree", "length")
"""Of an option: nearness of its name to the question's, log of its edges, letters of its name."""

RULES = (
    *(f"{extreme} {cue}" for cue in CUES for extreme in ("highest", "lowest")),
    "right most often in training",
    "most typical option",
)


@dataclass(frozen=True, eq=False)
class Choice:
    """A question as nodes: `options[answer]` is the right one; `cues` is (option, cue)."""

    kind: str
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
    before = prior(train)
    credits: dict[str, list[np.ndarray]] = {"all": []}
    for choice in test:
        for kind in ("all", choice.kind):
            credits.setdefault(kind, []).append(rule_credits(choice, before))
    means = {kind: np.mean(rows, axis=0) for kind, rows in sorted(credits.items()) if rows}
    return {
        rule: {kind: round(float(row[i]), 4) for kind, row in means.items()}
        for i, rule in enumerate(RULES)
    }


def rule_credits(choice: Choice, before: Counter[int]) -> np.ndarray:
    """What each of `RULES` gets for a question, (rule,): 1, 0, or a share of a tie."""
    scores = [sign * column for column in choice.cues.T for sign in (1, -1)]
    scores += [
        np.array([before[i] for i in choice.options]),
        -_distance_from_middle(choice.cues),
    ]
    credits = []
    for row in scores:
        best = np.isclose(row, row.max())
        credits.append(best[choice.answer] / best.sum())
    return np.array(credits)


def prior(train: list[Choice]) -> Counter[int]:
    """Node -> how much more often than chance it was right when it was an option."""
    balance: Counter[int] = Counter()
    for choice in train:
        for position, node in enumerate(choice.options):
            balance[node] += len(choice.options) * (position == choice.answer) - 1
    return balance


def _distance_from_middle(cues: np.ndarray) -> np.ndarray:
    scaled = (cues - cues.mean(axis=0)) / (cues.std(axis=0) + 1e-9)
    return np.square(scaled).sum(axis=1)
