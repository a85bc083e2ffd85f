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
    concepts: pl.DataFrame, config: LinkConfig
) -> tuple[Dictionary, dict[str, int]]:
    """A dictionary of names and synonyms, and counts of what was read and dropped.

    A name with several concepts ranks them by preferred name over synonym, then by how many names
    a concept has (one known to many sources is the commoner), then by cui.
    """
    names, counts = _names(concepts.select("cui", "name", "synonyms").sort("cui"))
    names = _shares(names)
    cui = concepts["cui"].sort()
    return _assemble(names, cui, config), counts | {"concepts": concepts.height}


def _names(concepts: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows (key, concept, weight) of the usable names, one a key and concept."""
    concepts = concepts.with_row_index("concept")
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
    names = names.group_by("key", "concept").agg(pl.col("weight").max())
    return names, counts | {"keys": names["key"].n_unique(), "candidates": names.height}


def _shares(names: pl.DataFrame) -> pl.DataFrame:
    share = pl.col("weight") / pl.col("weight").sum().over("key")
    return names.select("key", "concept", share=share.cast(pl.Float32))


def _assemble(names: pl.DataFrame, cui: pl.Series, config: LinkConfig) -> Dictionary:
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
    link = np.full(len(keys), config.unseen_link, dtype=np.float16)
    generic = [trie[key] for word in GENERIC if (key := fold(word) + " ") in trie]
    link[generic] = 0
    return Dictionary(
        names=trie,
        words=marisa_trie.Trie(),
        first=first.astype(np.uint32),
        concept=names["concept"].to_numpy().astype(np.uint32),
        share=names["share"].to_numpy().astype(np.float16),
        link=link,
        cui=np.array([value.encode() for value in cui], dtype=bytes),
        longest=max(map(len, keys), default=0),
    )
