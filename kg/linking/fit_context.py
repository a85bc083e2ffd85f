"""The rows of `kg.linking.context`, learned from a corpus's mentions by logistic regression."""

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy import sparse
from sklearn.linear_model import SGDClassifier

from kg.linking.context import PAD, PLACES, Context, gap_token, suffix_token
from kg.linking.corpus import Document
from kg.linking.normalise import gaps_of, words_of

__all__ = ["fit_context"]

RARE = 2
"""A word, ending or separator seen less often gets no row."""

CERTAIN = 8.0
"""Log-odds of what the corpus always or never has."""

Tokens = tuple[list[str], list[str], list[str], list[int]]


def fit_context(documents: Sequence[Document], seed: int = 0) -> Context:
    """The context model of a corpus; `seed` is that of the descent."""
    words, endings, gaps, owners = _tokens(documents)
    seen = Counter(words + endings + gaps)
    del seen[""]
    index = {token: row for row, token in enumerate((t for t in seen if seen[t] >= RARE), 1)}
    rows = [np.array([index.get(token, 0) for token in part]) for part in (words, endings, gaps)]
    places = np.flatnonzero(rows[1])
    owner = np.array(owners)
    labels = (owner >= 0, (owner >= 0) & (owner == np.roll(owner, -1)))
    parts, bias = [], []
    for label, (around, between) in zip(labels, PLACES, strict=True):
        shifts = [(rows[0], around), (rows[1], around), (rows[2], between)]
        columns = [
            part[places + place] + block * (len(index) + 1)
            for part, offsets in shifts
            for block, place in enumerate(offsets)
        ]
        shape = len(around), len(index) + 1
        coefficients, intercept = _regression(columns, shape, label[places], seed)
        parts.append(coefficients.T)
        bias.append(intercept)
    weights = np.concatenate(parts, axis=1)
    # A word's row holds its ending's too, so that a text is scored with one look-up a word.
    for word, row in index.items():
        if word[0] not in "~|":
            weights[row] += weights[index.get(suffix_token(word), 0)]
    return Context(index, weights.astype(np.float32), np.array(bias, dtype=np.float32))


def _tokens(documents: Sequence[Document]) -> Tokens:
    """Words, their endings, the gaps behind them and the mention each is in (-1: none), of all
    documents; PAD empty ones between two."""
    nothing = [""] * PAD
    tokens: Tokens = (list(nothing), list(nothing), list(nothing), [-1] * PAD)
    mention = 0
    for document in documents:
        spans, words = words_of(document.text)
        owner: dict[int, int] = {}
        for start, end, _ in document.mentions:
            mention += 1
            owner |= dict.fromkeys(range(start, end), mention)
        gaps = [gap_token(gap) for gap in gaps_of(document.text, spans)]
        tokens[0].extend(words + nothing)
        tokens[1].extend([suffix_token(word) for word in words] + nothing)
        tokens[2].extend(gaps + [""] * (len(words) - len(gaps)) + nothing)
        tokens[3].extend([owner.get(start, -1) for start, _ in spans] + [-1] * PAD)
    return tokens


def _regression(
    columns: list[np.ndarray], shape: tuple[int, int], labels: np.ndarray, seed: int
) -> tuple[np.ndarray, float]:
    """Weights (place, token) and bias; a column holds numbers of place * tokens + token."""
    if labels.all() or not labels.any():  # No mention has two words, say.
        return np.zeros(shape), CERTAIN if labels.any() else -CERTAIN
    numbers = np.stack(columns, axis=1)
    ends = np.arange(0, numbers.size + 1, numbers.shape[1])
    # Token 0 is what is unknown: it says nothing here, as when texts are scored.
    known = (numbers.ravel() % shape[1] != 0).astype(np.float64)
    design = sparse.csr_matrix(
        (known, numbers.ravel(), ends), shape=(len(labels), shape[0] * shape[1])
    )
    # The passes are few and the weights averaged: regular enough, and seconds.
    model = SGDClassifier(
        loss="log_loss", alpha=1e-6, average=True, max_iter=6, tol=None, random_state=seed
    ).fit(design, labels)
    return model.coef_[0].reshape(shape), float(model.intercept_[0])
