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
from kg.linking.normalise import fold, key_of, shouts
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
    keys = pl.concat([names["key"], counted["key"]]).unique()
    trie = marisa_trie.Trie(iter(keys))
    words = marisa_trie.Trie(iter(_long_words(keys)))
    shares = _shares(_numbered(names, trie), _numbered(counted, trie))
    counts |= {"keys": len(trie), "candidates": shares.height}
    return Dictionary(
        names=trie,
        words=words,
        first=np.searchsorted(shares["number"], np.arange(len(trie) + 1)).astype(np.uint32),
        concept=shares["concept"].to_numpy().astype(np.uint32),
        share=shares["share"].to_numpy().astype(np.float16),
        link=_links(trie, priors, config),
        cui=np.array([cui.encode() for cui in concepts["cui"]], dtype=bytes),
        longest=int(keys.str.len_chars().max() or 0),  # type: ignore[arg-type]
    ), counts | {"concepts": concepts.height}


def _names(concepts: pl.DataFrame) -> tuple[pl.DataFrame, dict[str, int]]:
    """Rows (concept, weight, key) of the usable names."""
    commonness = (pl.col("synonyms").list.len() + 1).cast(pl.Float32).log1p()
    preferred = concepts.select("concept", "name", weight=2 * commonness)
    synonyms = (
        concepts.select("concept", name="synonyms", weight=commonness)
        .explode("name")
        .drop_nulls("name")
    )
    names = pl.concat([preferred, synonyms])
    counts = {"names": names.height}
    shouted = names.filter(pl.Series(map(shouts, names["name"]), dtype=pl.Boolean))
    names = pl.concat([names, shouted.with_columns(pl.col("name").str.to_lowercase())])
    keys = pl.Series("key", map(key_of, names["name"]), dtype=pl.String)
    names = names.select("concept", "weight").with_columns(keys)
    reasons = {
        "without_a_letter": ~pl.col("key").str.contains(r"\p{Alphabetic}"),
        "one_character": pl.col("key").str.len_chars() == 2,
        "too_long": pl.col("key").str.len_chars() > MAX_KEY,
    }
    for reason, condition in reasons.items():
        kept = names.filter(~condition)
        counts[f"keys_{reason}"] = names.height - kept.height
        names = kept
    return names, counts


def _numbered(rows: pl.DataFrame, trie: marisa_trie.Trie) -> pl.DataFrame:
    """Numbers instead of keys: what follows is sorting and summing integers."""
    # Neighbours in the alphabet are neighbours in the trie: sorted, most look-ups hit the cache.
    rows = rows.sort("key")
    numbers = np.fromiter(map(trie.key_id, rows["key"]), dtype=np.uint32, count=rows.height)
    return rows.drop("key").with_columns(number=pl.Series(numbers, dtype=pl.UInt32))


def _shares(names: pl.DataFrame, counted: pl.DataFrame) -> pl.DataFrame:
    """Rows (number, concept, share), best first in each number.

    The vocabulary's opinion of a name weighs as much as one mention.
    """
    row = ["number", "concept"]
    names = names.group_by(row).agg(pl.col("weight").max())
    share = pl.col("weight") / pl.col("weight").sum().over("number")
    mentions = counted.select(*row, weight=pl.col("count").cast(pl.Float32))
    weights = pl.concat([names.select(*row, weight=share), mentions])
    weights = weights.group_by(row).agg(pl.col("weight").sum())
    return weights.select(*row, share=share).sort(
        "number", "share", "concept", descending=[False, True, False]
    )


def _links(trie: marisa_trie.Trie, priors: pl.DataFrame, config: LinkConfig) -> np.ndarray:
    """(key,) float16; names that the corpus does not know get the default."""
    links = np.full(len(trie), config.unseen_link, dtype=np.float16)
    links[[trie[key] for word in GENERIC if (key := fold(word) + " ") in trie]] = 0
    for key, link in priors.select("key", "link").iter_rows():
        number = trie.get(key)
        if number is not None:
            links[number] = link
    return links


def _long_words(keys: pl.Series) -> pl.Series:
    words = keys.str.strip_chars(" ").str.split(" ").explode().unique()
    return words.filter(words.str.len_chars() >= MIN_LETTERS)
