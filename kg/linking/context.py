"""What the words around a place say: is a word inside a mention, do two words share one?

Two linear models over a word, its two neighbours on each side and what separates them; a word that
the corpus did not hold counts by its ending. Their weights are one row a token, so a text is scored
by adding shifted columns (`kg.linking.fit_context` learns the rows).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from kg.linking.normalise import is_acronym

__all__ = ["PAD", "PLACES", "Context", "gap_token", "suffix_token"]

PAD = 2
"""Words on each side that are looked at."""

PLACES = (
    ((-2, -1, 0, 1, 2), (-2, -1, 0, 1)),
    ((-1, 0, 1, 2), (-1, 0, 1)),
)
"""Words and gaps seen, counted from word i (gap i follows it): to judge word i, and gap i."""


@dataclass(frozen=True)
class Context:
    """The learned rows: a column a place of PLACES; gaps use 4 of the first 5, 3 of the others."""

    index: Mapping[str, int]
    """token -> row; 0 is the row of what is unknown"""
    weights: np.ndarray
    """(token, 9) float32"""
    bias: np.ndarray
    """(2,): of inside and joined"""

    def scores(self, words: Sequence[str], gaps: Sequence[str]) -> tuple[np.ndarray, np.ndarray]:
        """Log-odds that each word is in a mention, and each word with its next in the same (n,).

        `gaps` are the characters between the words, one fewer than words.
        """
        get = self.index.get
        word = self._rows([get(one) or get(suffix_token(one), 0) for one in words])
        gap = self._rows([get(gap_token(one), 0) for one in gaps] + [0] * bool(words))
        inside, joined = PLACES
        return (
            self.bias[0] + _added(word, inside[0], 0) + _added(gap, inside[1], 0),
            self.bias[1] + _added(word, joined[0], 5) + _added(gap, joined[1], 5),
        )

    def _rows(self, numbers: list[int]) -> np.ndarray:
        return self.weights[[0] * PAD + numbers + [0] * PAD]


def suffix_token(word: str) -> str:
    """The class of a word: acronym, number, letters and digits, or its last four letters."""
    if word.isalpha():
        return "~A" if is_acronym(word) else "~" + word[-4:]
    return "~#" if word.isdigit() else "~%"


def gap_token(gap: str) -> str:
    """What separates two words, spaces aside."""
    return "|" + gap.strip(" ")


def _added(rows: np.ndarray, places: tuple[int, ...], column: int) -> np.ndarray:
    count = len(rows) - 2 * PAD
    total = np.zeros(count, dtype=np.float32)
    for number, place in enumerate(places, column):
        total += rows[PAD + place : PAD + place + count, number]
    return total
