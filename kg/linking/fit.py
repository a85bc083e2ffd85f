"""From a corpus to priors: which strings are names, of what, and how surely.

The link probability of a name is the chance that, found in a text, it names its commonest concept
there. The raw share of its uses that are mentions is 1 for all that was seen once, so a
gradient-boosted model learns the chance from how the name and its words are used, on papers that
did not contribute to those counts (folds). It sees only the name: its answer is stored with the
name and costs nothing when texts are linked. A corpus without mentions gives document frequencies.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Sequence

import marisa_trie
import numpy as np
import polars as pl
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

from kg.linking.corpus import Document
from kg.linking.counts import Counts, count, longest_keys
from kg.linking.dictionary import PRIORS
from kg.linking.normalise import is_acronym, key_of, words_of
from kg.shared.errors import InputError

__all__ = ["fit_folds", "fit_priors", "fold_of"]

FOLDS = 5
COMMON = 0.02
"""Without annotations: a name in this share of the documents is no mention (link probability 0).
A guess, not tuned."""

log = logging.getLogger(__name__)


def fit_priors(documents: Sequence[Document], keys: Iterable[str], seed: int = 0) -> pl.DataFrame:
    """Priors (schema PRIORS) of the names in the documents' mentions and of `keys`.

    `keys` are those of the concepts to link; the ones that no document holds get no row. `seed`
    is the boosting's.
    """
    return fit_folds(documents, keys, seed)[0]


def fit_folds(
    documents: Sequence[Document], keys: Iterable[str], seed: int = 0
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Priors of all documents, and those for each of the folds (`fold_of`), counted in the others.

    Without annotations there are none of the latter.
    """
    keys = set(keys)
    if not any(document.mentions for document in documents):
        return _from_frequencies(documents, keys), []
    folds = [_counted(fold_of(documents, fold)[0], keys) for fold in range(FOLDS)]
    model = HistGradientBoostingClassifier(
        max_iter=100, learning_rate=0.06, max_leaf_nodes=15, min_samples_leaf=40,
        l2_regularization=1, early_stopping=False, random_state=seed,
    )  # fmt: skip
    # Small data: more threads only wait for each other, minutes long on a busy machine.
    with threadpool_limits(limits=1):
        model.fit(*_examples(documents, folds))
        whole, *parts = (_priors(model, *part) for part in [_counted(documents, keys), *folds])
    return whole, parts


def fold_of(documents: Sequence[Document], fold: int) -> tuple[list[Document], list[Document]]:
    """The documents outside a fold, and those in it."""
    others = [document for number, document in enumerate(documents) if number % FOLDS != fold]
    return others, list(documents[fold::FOLDS])


def _counted(documents: Sequence[Document], keys: set[str]) -> tuple[marisa_trie.Trie, Counts]:
    names = marisa_trie.Trie(_mentioned(documents) | keys)
    return names, count(documents, names)


def _priors(
    model: HistGradientBoostingClassifier, names: marisa_trie.Trie, counts: Counts
) -> pl.DataFrame:
    used = sorted(key for key in names if counts.found[key] or counts.cuis.get(key))
    link = model.predict_proba(_features(used, counts))[:, 1]
    rows: list[tuple[str, str | None, int, float]] = []
    for key, chance in zip(used, link.tolist(), strict=True):
        cuis = sorted(counts.cuis.get(key, {}).items())
        rows += [(key, cui, number, chance) for cui, number in cuis] or [(key, None, 0, chance)]
    return pl.DataFrame(rows, schema=PRIORS, orient="row")


def _mentioned(documents: Iterable[Document]) -> set[str]:
    texts = {
        document.text[start:end] for document in documents for start, end, _ in document.mentions
    }
    return {key for key in map(key_of, texts) if key}


def _examples(
    documents: Sequence[Document], folds: Sequence[tuple[marisa_trie.Trie, Counts]]
) -> tuple[np.ndarray, np.ndarray]:
    """Names found in each fold, described by the counts of the other folds: (n, feature), (n,)."""
    features: list[np.ndarray] = []
    labels: list[bool] = []
    for fold, (names, counts) in enumerate(folds):
        found: list[str] = []
        for document in fold_of(documents, fold)[1]:
            here = [key for *_, key in longest_keys(words_of(document.text)[1], names)]
            found += here
            labels += _named(here, document, counts)
        if found:
            features.append(_features(found, counts))
    if len(set(labels)) < 2:
        raise InputError(
            f"the corpus of {len(documents)} documents holds no name that is sometimes a mention "
            "and sometimes not; take a larger one, or leave out its mentions"
        )
    return np.concatenate(features), np.array(labels)


def _named(keys: list[str], document: Document, counts: Counts) -> list[bool]:
    """Whether the document's gold has the commonest concept of each key; where the counts know
    none, whether it has the key."""
    cuis = {cui for *_, cui in document.mentions}
    gold = {key_of(document.text[start:end]) for start, end, _ in document.mentions}
    best = [_best(counts.cuis.get(key)) for key in keys]
    return [cui in cuis if cui else key in gold for key, cui in zip(keys, best, strict=True)]


def _best(cuis: Counter[str] | None) -> str | None:
    return min(cuis, key=lambda cui: (-cuis[cui], cui)) if cuis else None


def _features(keys: list[str], counts: Counts) -> np.ndarray:
    """(key, feature) float32."""
    rows = {key: _row(key, counts) for key in set(keys)}
    return np.array([rows[key] for key in keys], dtype=np.float32)


def _row(key: str, counts: Counts) -> list[float]:
    words = key.split()
    cuis = counts.cuis.get(key)
    found, true = counts.found[key], counts.true[key]

    def share(part: Counter[str], word: str) -> float:
        return (part[word] + 0.3) / (counts.words[word] + 1)

    return [
        (true + 0.5) / (found + 1),
        np.log1p(found),
        np.log1p(true),
        max(cuis.values()) / cuis.total() if cuis else 0,
        len(cuis or ()),
        np.log1p(counts.papers[key]),
        len(words),
        len(key),
        all(map(is_acronym, words)),
        max(share(counts.inside, word) for word in words),
        share(counts.joined[0], words[0]),
        share(counts.joined[1], words[-1]),
    ]


def _from_frequencies(documents: Sequence[Document], keys: set[str]) -> pl.DataFrame:
    names = marisa_trie.Trie(keys)
    papers: Counter[str] = Counter()
    for document in documents:
        papers.update({key for *_, key in longest_keys(words_of(document.text)[1], names)})
    log.warning("the corpus has no mentions: link probabilities come from document frequencies")
    used = sorted(papers)
    link = [max(0.0, 1 - papers[key] / len(documents) / COMMON) for key in used]
    rows = [(key, None, 0, chance) for key, chance in zip(used, link, strict=True)]
    return pl.DataFrame(rows, schema=PRIORS, orient="row")
