"""The concept table (and what a corpus taught) to a dictionary."""

import logging
from collections.abc import Iterable

import marisa_trie
import numpy as np
import polars as pl

from kg.config import LinkConfig
from kg.linking.dictionary import PRIORS, Dictionary
from kg.linking.likelihood import likelihoods
from kg.linking.normalise import MIN_LETTERS, fold, key_of, shouts
from kg.shared.errors import InputError
from kg.shared.lines import require_known

__all__ = ["build_dictionary", "keep_concepts"]

MAX_KEY = 300
"""Characters of a key; longer names are descriptions, which no text quotes."""

TRIES = 2
"""Levels of the trie of names. marisa's own 3 take a fifth less memory and a fifth more time."""

log = logging.getLogger(__name__)


def keep_concepts(
    concepts: pl.DataFrame, config: LinkConfig, cuis: Iterable[str] | None = None
) -> pl.DataFrame:
    """The concepts that may be linked: those of the config's types and sources and of `cuis`."""
    kept = concepts
    if config.semantic_types:
        wanted = list(config.semantic_types)
        types = concepts["semantic_types"].explode().drop_nulls()
        require_known("semantic type (link.semantic_types)", wanted, types)
        kept = kept.filter(
            pl.col("semantic_types").list.eval(pl.element().is_in(wanted)).list.any()
        )
    if config.sources:
        source = pl.col("cui").str.extract(r"^([^:]+):").fill_null("UMLS")
        known = concepts.select(source).to_series()
        require_known("source of ids (link.sources)", config.sources, known)
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
    concepts = concepts.sort("cui").with_row_index("concept")
    names, words, counts = _names(concepts.select("concept", "name", "synonyms"))
    counted = priors.drop_nulls("cui").join(concepts.select("cui", "concept"), on="cui")
    counted = counted.select("concept", "key", pl.col("count").cast(pl.Float32))
    # Neighbours in the alphabet are neighbours in the trie: in order most look-ups hit the cache.
    rows = pl.concat([names, counted], how="diagonal").sort("key", multithreaded=False)
    keys = rows["key"].rle().struct.field("value")
    strings = keys.to_list()
    trie = marisa_trie.Trie(strings, num_tries=TRIES)
    words = _long(pl.concat([words, counted["key"].str.split(" ").explode()]))
    # Numbers instead of keys: what follows is sorting and summing integers.
    ids = np.fromiter(map(trie.key_id, strings), dtype=np.uint32, count=len(strings))
    numbers = pl.Series("number", ids[rows["key"].rle_id()])
    shares = _shares(rows.drop("key").with_columns(numbers))
    first = np.searchsorted(shares["number"], np.arange(len(trie) + 1)).astype(np.uint32)
    concept = shares["concept"].to_numpy().astype(np.uint32)
    types = concepts["semantic_types"].gather(concept[first[:-1]])
    link, symbol = likelihoods(trie, keys, types, priors, config.unseen_link)
    counts |= {"keys": len(trie), "candidates": shares.height}
    return Dictionary(
        names=trie,
        words=marisa_trie.Trie(words.to_list()),
        first=first,
        concept=concept,
        share=shares["share"].to_numpy().astype(np.float16),
        link=link,
        symbol=symbol,
        cui=np.array([cui.encode() for cui in concepts["cui"]], dtype=bytes),
        longest=int(keys.str.len_chars().max() or 0),  # type: ignore[arg-type]
    ), counts | {"concepts": concepts.height}


def _names(concepts: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series, dict[str, int]]:
    """Rows (concept, weight, key) of the usable names, and the words of all."""
    commonness = (pl.col("synonyms").list.len() + 1).cast(pl.Float32).log1p()
    preferred = concepts.select("concept", "name", weight=2 * commonness)
    synonyms = (
        concepts.select("concept", name="synonyms", weight=commonness)
        .explode("name")
        .drop_nulls("name")
    )
    names = pl.concat([preferred, synonyms])
    counts = {"names": names.height}
    # Few names have no small letter: those are looked at one by one.
    capitals = names.filter(~pl.col("name").str.contains("[a-z]"))
    shouted = capitals.filter(pl.Series(map(shouts, capitals["name"]), dtype=pl.Boolean))
    names = pl.concat([names, shouted.with_columns(pl.col("name").str.to_lowercase())])
    names, words = _keyed(names)
    reasons = {
        "without_a_letter": ~pl.col("key").str.contains(r"\p{Alphabetic}"),
        "one_character": pl.col("key").str.len_chars() == 2,
        "too_long": pl.col("key").str.len_chars() > MAX_KEY,
    }
    for reason, condition in reasons.items():
        kept = names.filter(~condition)
        counts[f"keys_{reason}"] = names.height - kept.height
        names = kept
    return names, words, counts


def _keyed(names: pl.DataFrame) -> tuple[pl.DataFrame, pl.Series]:
    """Rows with `key` (`key_of`) instead of `name`, in another order, and the words of the keys.

    Names in ASCII, nearly all, are cut a column at a time, and each of their words is folded once.
    """
    name = pl.col("name")
    # polars' replace_strict fails where no name has a word: those without go the other way.
    ascii_word = (name.str.len_bytes() == name.str.len_chars()) & name.str.contains("[A-Za-z0-9]")
    # The s of a possessive is no word, which takes `key_of` to see.
    ascii_word &= ~name.str.contains("'[sS]")
    plain, other = names.filter(ascii_word), names.filter(~ascii_word)
    # As categories each word is hashed once; after that numbers are compared.
    cut = name.str.extract_all("[A-Za-z0-9]+").list.eval(pl.element().cast(pl.Categorical))
    lists = plain.select(key=cut)
    distinct = lists["key"].explode().unique()
    folded = pl.Series(map(fold, distinct), dtype=pl.String)
    key = pl.element().replace_strict(distinct, folded + " ", return_dtype=pl.String)
    plain_keys = lists.select(pl.col("key").list.eval(key).list.join("")).to_series()
    other_keys = pl.Series("key", map(key_of, other["name"]), dtype=pl.String)
    names = pl.concat([plain, other]).drop("name")
    words = pl.concat([folded, other_keys.str.split(" ").explode()])
    return names.with_columns(pl.concat([plain_keys, other_keys])), words


def _shares(rows: pl.DataFrame) -> pl.DataFrame:
    """Rows (number, concept, share), best first in each number.

    The vocabulary's opinion of a name weighs as much as one mention.
    """
    pairs = rows.group_by("number", "concept").agg(pl.col("weight").max(), pl.col("count").sum())
    named = (pl.col("weight") / pl.col("weight").sum().over("number")).fill_null(0)
    pairs = pairs.with_columns(share=named + pl.col("count"))
    share = pl.col("share") / pl.col("share").sum().over("number")
    return pairs.select("number", "concept", share).sort(
        "number", "share", "concept", descending=[False, True, False]
    )


def _long(words: pl.Series) -> pl.Series:
    return words.filter(words.str.len_chars() >= MIN_LETTERS).unique()
