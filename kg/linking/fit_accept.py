"""The accept model, learned from places that the linker finds in papers it has not learned from.

Each fold of the corpus is linked with the names, link probabilities and word statistics of the
other folds: what the model sees there is as (un)sure as what it will see in a new text.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS
from kg.linking.accept import LEAST_LINK, Accept, features
from kg.linking.build import build_dictionary, keep_concepts
from kg.linking.corpus import Document
from kg.linking.fit import fold_of
from kg.linking.fit_context import fit_context
from kg.linking.linker import Linker
from kg.linking.normalise import gaps_of
from kg.shared.errors import InputError

__all__ = ["fit_accept"]


def fit_accept(
    documents: Sequence[Document],
    folds: Sequence[pl.DataFrame],
    concepts: pl.DataFrame | None = None,
    seed: int = 0,
    config: LinkConfig | None = None,
) -> Accept:
    """A model of a corpus; `folds` are the priors of `kg.linking.fit.fit_folds`.

    `concepts` (schema CONCEPTS) are those to link; without, those of the corpus. `seed` is that of
    the descent. Names are found as a linker of `config` will find them, and what it will not link
    (other semantic types, other sources) is no gold.
    """
    config = config or LinkConfig()
    finding = config.model_copy(update={"min_link": LEAST_LINK, "approximate": 1})
    linked = None
    if concepts is not None:
        concepts = keep_concepts(concepts, config)
        if config.semantic_types or config.sources:
            linked = set(concepts["cui"])
    rows: list[np.ndarray] = []
    seen: list[tuple[str, str, bool]] = []
    for fold, priors in enumerate(folds):
        others, held = fold_of(documents, fold)
        vocabulary = _vocabulary(priors) if concepts is None else concepts
        linker = Linker(build_dictionary(vocabulary, finding, priors)[0], finding)
        context = fit_context(others, seed)
        for document in held:
            spans, words, matches = linker.matches(document.text)
            if matches:
                places = linker.places(matches)
                rows.append(features(context, words, gaps_of(document.text, spans), places))
                named = {cui for *_, cui in document.mentions}
                seen += [(document.id, cui, cui in named) for *_, cui in places]
    table = pl.DataFrame(seen, schema=["document", "cui", "meant"], orient="row")
    if not rows or table["meant"].n_unique() < 2:
        raise InputError(
            f"the corpus of {len(documents)} documents holds no name that is sometimes meant and "
            "sometimes not; take a larger one, or fit without --accept (link.accept: false)"
        )
    coefficients, intercept = _regression(np.concatenate(rows), table["meant"].to_numpy())
    chance = 1 / (1 + np.exp(-(np.concatenate(rows) @ coefficients + intercept)))
    meant = [{cui for *_, cui in document.mentions} for document in documents]
    gold = sum(len(cuis if linked is None else cuis & linked) for cuis in meant)
    threshold = _best_threshold(table.with_columns(chance=pl.Series(chance)), gold)
    return Accept(fit_context(documents, seed), coefficients, intercept, threshold)


def _vocabulary(priors: pl.DataFrame) -> pl.DataFrame:
    """A concept table of the cuis of `priors`; their names are in the priors."""
    cuis = priors["cui"].drop_nulls().unique()
    rows: list[tuple] = [(cui, "", [], [], None) for cui in cuis]
    return pl.DataFrame(rows, schema=CONCEPTS, orient="row")


def _regression(rows: np.ndarray, labels: np.ndarray) -> tuple[np.ndarray, float]:
    """Coefficients and intercept for rows as they are; the fit standardises them."""
    mean, scale = rows.mean(axis=0), rows.std(axis=0) + 1e-6
    with threadpool_limits(limits=1):
        model = LogisticRegression(max_iter=500).fit((rows - mean) / scale, labels)
    coefficients = model.coef_[0] / scale
    return coefficients, float(model.intercept_[0] - mean @ coefficients)


def _best_threshold(places: pl.DataFrame, gold: int) -> float:
    """The chance from which on a place's concept is taken, for the best document F1."""
    concepts = places.group_by("document", "cui").agg(pl.col("chance").max(), pl.col("meant").any())
    # Equal chances are taken together: their order says nothing.
    steps = concepts.group_by("chance").agg(pl.col("meant").sum(), found=pl.len())
    steps = steps.sort("chance", descending=True)
    both, found = (steps[name].cast(pl.Int64).cum_sum().to_numpy() for name in ("meant", "found"))
    # Half-way to the first that is left out: sums in another order may differ in the last bit.
    chances = [*steps["chance"], 0.0]
    best_at = int((2 * both / (found + gold)).argmax())
    return (chances[best_at] + chances[best_at + 1]) / 2
