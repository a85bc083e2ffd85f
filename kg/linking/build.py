"""The concept table (and what a corpus taught) to a dictionary."""

import logging
from collections.abc import Iterable

import marisa_trie
import numpy as np
import polars as pl

from kg.config import LinkConfig
from kg.errors import InputError
from kg.linking.dictionary import Dictionary
from kg.linking.generic import GENERIC
from kg.linking.normalise import fold, keys_of
from kg.linking.priors import PRIORS
from kg.linking.typos import MIN_LETTERS

__all__ = ["build_dictionary", "keep_concepts"]

MAX_KEY = 300
"""Characters of a key; longer names are descriptions, which no text quotes."""

log = logging.getLogger(__name__)


def keep_concepts(
    concepts: pl.DataFrame, config: LinkConfig, cuis: Iterable[str] | None = None
) -> pl.DataFrame:
    """The concepts that may be linked: those of the config's types and sources and of `cuis`."""
    kept = concepts
    if config.semantic_types:
        wanted = list(config.semantic_types)
        kept = kept.filter(
            pl.col("semantic_types").list.eval(pl.element().is_in(wanted)).list.any()
        )
    if config.sources:
        source = pl.col("cui").str.extract(r"^([^:]+):").fill_null("UMLS")
        kept = kept.filter(source.is_in(list(config.sources)))
    if cuis is not None:
        kept = kept.filter(pl.col("cui").is_in(pl.Series(list(cuis), dtype=pl.String).implode()))
    if not kept.height:
        raise InputError(
            f"no concept of {concepts.height} is left to link; "
            f"check link.semantic_types {config.semantic_types}, link.sources {config.sources} "
            "and that the store was made from these concepts"
        )
    return kept


def build_dictionary(
    concepts: pl.DataFrame, config: LinkConfig, priors: pl.DataFrame | None = None
) -> tuple[Dictionary, dict[str, int]]:
    """A dictionary of names and synonyms, and counts of what was read and dropped.

    A name with several concepts ranks them by their mentions in the corpus behind `priors` (see
    `kg.linking.fit`), then by preferred name over synonym, then by how many names a concept has
    (one known to many sources is the commoner), then by cui. The corpus's own names are added.
    """
    priors = pl.DataFrame(schema=PRIORS) if priors is None else priors
    concepts = concepts.select("cui", "name", "synonyms").sort("cui").with_row_index("concept")
    names, counts = _names(concepts)
    counted = priors.drop_nulls("cui").join(concepts.select("cui", "concept"), on="cui")
    names = _shares(names, counted)
    counts |= {"keys": names["key"].n_unique(), "candidates": names.height}
    links = priors.group_by("key").agg(pl.col("link").first())
    return _assemble(names, links, concepts["cui"], config), counts | {"concepts": concepts.height}


def _names(concepts: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows (key, concept, weight) of the usable names, one a key and concept."""
    commonness = (pl.col("synonyms").list.len() + 1).cast(pl.Float64).log1p()
    preferred = concepts.select("concept", "name", weight=2 * commonness)
    synonyms = (
        concepts.select("concept", name="synonyms", weight=commonness)
        .explode("name")
        .drop_nulls("name")
    )
    names = pl.concat([preferred, synonyms])
    counts = {"names": names.height}
    keys = pl.Series("key", [keys_of(name) for name in names["name"]], dtype=pl.List(pl.String))
    names = names.select("concept", "weight").with_columns(keys).explode("key")
    reasons = {
        "without_a_letter": ~pl.col("key").str.contains(r"\p{Alphabetic}"),
        "one_character": pl.col("key").str.len_chars() == 2,
        "too_long": pl.col("key").str.len_chars() > MAX_KEY,
    }
    for reason, condition in reasons.items():
        kept = names.filter(~condition)
        counts[f"keys_{reason}"] = names.height - kept.height
        names = kept
    return names.group_by("key", "concept").agg(pl.col("weight").max()), counts


def _shares(names: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Rows (key, concept, share): the vocabulary's opinion weighs as much as one mention."""
    opinion = pl.col("weight") / pl.col("weight").sum().over("key")
    weights = pl.concat(
        [
            names.select("key", "concept", weight=opinion),
            counted.select("key", "concept", weight=pl.col("count").cast(pl.Float64)),
        ]
    )
    weights = weights.group_by("key", "concept").agg(pl.col("weight").sum())
    return weights.select("key", "concept", share=opinion.cast(pl.Float32))


def _assemble(
    names: pl.DataFrame, links: pl.DataFrame, cui: pl.Series, config: LinkConfig
) -> Dictionary:
    keys = names["key"].unique().to_list()
    trie = marisa_trie.Trie(keys)
    numbers = pl.DataFrame(
        {"key": keys, "number": [trie.key_id(key) for key in keys]},
        schema={"key": pl.String, "number": pl.UInt32},
    )
    names = names.join(numbers, on="key").sort(
        "number", "share", "concept", descending=[False, True, False]
    )
    first = np.searchsorted(names["number"].to_numpy(), np.arange(len(keys) + 1))
    return Dictionary(
        names=trie,
        words=marisa_trie.Trie(_long_words(keys)),
        first=first.astype(np.uint32),
        concept=names["concept"].to_numpy().astype(np.uint32),
        share=names["share"].to_numpy().astype(np.float16),
        link=_links(numbers, links, config),
        cui=np.array([value.encode() for value in cui], dtype=bytes),
        longest=max(map(len, keys), default=0),
    )


def _links(numbers: pl.DataFrame, links: pl.DataFrame, config: LinkConfig) -> np.ndarray:
    """(key,) float16 by number; names that the corpus does not know get the default."""
    generic = [fold(word) + " " for word in GENERIC]
    unseen = pl.when(pl.col("key").is_in(generic)).then(0.0).otherwise(config.unseen_link)
    joined = numbers.join(links, on="key", how="left").sort("number")
    return joined.select(pl.col("link").fill_null(unseen))["link"].to_numpy().astype(np.float16)


def _long_words(keys: list[str]) -> set[str]:
    return {word for key in keys for word in key.split() if len(word) >= MIN_LETTERS}
