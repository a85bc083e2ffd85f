"""Rows of facts, too many to hold as text: ends and relations as numbers, then one number each.

A fact's number holds head, relation, tail and source in this order, so that sorting numbers sorts
the table of triplets, and equal facts of several sources are neighbours.
"""

from collections.abc import Callable

import numpy as np
import polars as pl

from kg.shared.errors import InputError
from kg.sources.summary import Summary, file_rows

__all__ = [
    "check_room",
    "end_ids",
    "number_rows",
    "triplets_between",
    "triplets_of",
]

COLUMNS = ("head", "relation", "tail", "source")


def number_rows(edges: pl.LazyFrame) -> pl.DataFrame:
    """The columns head, relation, tail and source of all rows in memory, 16 bytes a row.

    They are categorical: texts without space around them, "" where there is none.
    """
    ids = pl.Categorical(pl.Categories.random("ids", physical=pl.UInt32))
    names = pl.Categorical(pl.Categories.random("names", physical=pl.UInt32))
    text = pl.col(COLUMNS).fill_null("").str.strip_chars()
    kinds = pl.Schema({"head": ids, "relation": names, "tail": ids, "source": names})
    return edges.select(text).cast(kinds).collect(engine="streaming")


def end_ids(rows: pl.DataFrame) -> pl.Series:
    """Every id, once, that is an end of one of the numbered rows; "" is none."""
    ids = _values(rows, "head", "tail").cast(pl.String)
    return ids.filter(ids != "")


def triplets_between(
    rows: pl.DataFrame,
    concepts: pl.DataFrame,
    named: Callable[[str], str] = str,
    mirrored: bool = False,
) -> tuple[pl.DataFrame, Summary]:
    """Distinct triplets between different concepts, in their table's order, and what became of
    the numbered rows.

    `named` gives a relation's text its name. With `mirrored` rows (a, r, b) and (b, r, a) say the
    same, and the direction that comes first is kept.
    """
    ends = _values(rows, "head", "tail")
    place = _places(ends, _rows_of(ends.cast(pl.String), concepts["cui"]))
    relations, relation = _renamed(_values(rows, "relation"), named)
    sources, source = _renamed(_values(rows, "source"), str)
    check_room(concepts.height, len(relations), len(sources))
    empty = pl.any_horizontal(pl.col("head", "relation", "tail") == "")
    whole, whole_rows = _kept(rows, ~empty)
    two, two_rows = _kept(whole, pl.col("head") != pl.col("tail"))
    facts = pl.DataFrame(
        {
            "head": place[two["head"].to_physical()],
            "relation": relation[two["relation"].to_physical()],
            "tail": place[two["tail"].to_physical()],
            "source": source[two["source"].to_physical()],
        }
    )
    known, known_rows = _kept(facts, (pl.col("head") >= 0) & (pl.col("tail") >= 0))
    one_way = _one_way(known) if mirrored else known
    triplets = triplets_of(
        _numbers(one_way, concepts.height, len(relations), len(sources)),
        concepts["cui"],
        (relations, sources),
    )
    dropped = {
        "no head, relation or tail": whole_rows,
        "inside one concept": two_rows,
        "no concept at an end": known_rows,
        "same fact turned round": known.height - one_way.height,
        "same fact": one_way.height - triplets.height,
    }
    return triplets, file_rows(rows.height, dropped, triplets.height)


def triplets_of(
    facts: np.ndarray, cuis: pl.Series, names: tuple[pl.Series, pl.Series]
) -> pl.DataFrame:
    """Each fact once, with its sources.

    `facts` are sorted numbers of a place in `cuis`, one in the relations `names[0]`, one in `cuis`
    again and one in the sources `names[1]`.
    """
    relations, sources = names
    fact, source = np.divmod(facts[np.diff(facts, prepend=-1) != 0], len(sources) or 1)
    first = np.flatnonzero(np.diff(fact, prepend=-1))
    pair, tail = np.divmod(fact[first], len(cuis))
    head, relation = np.divmod(pair, len(relations) or 1)
    return pl.DataFrame(
        {
            "head": cuis.gather(head),
            "relation": relations.gather(relation),
            "tail": cuis.gather(tail),
            "source": _joined(sources, source, first),
        }
    )


def check_room(concepts: int, relations: int, sources: int) -> None:
    """Raise InputError where the facts between so many do not fit in 63 bits."""
    # They leave 900,000 pairs of a relation and a source to 10^13 pairs of concepts.
    facts = concepts**2 * relations * sources
    if facts >= 2**63:
        raise InputError(
            f"{concepts} concepts, {relations} relations and {sources} sources make {facts} "
            "possible facts, expected less than 2^63; choose fewer in the config"
        )


def _values(rows: pl.DataFrame, *columns: str) -> pl.Series:
    return pl.concat([rows[column].unique().alias("value") for column in columns]).unique()


def _rows_of(texts: pl.Series, cuis: pl.Series) -> np.ndarray:
    """The place in `cuis` of each text, -1 where it is none."""
    found = cuis.to_frame("value").with_row_index("place")
    joined = texts.to_frame("value").join(found, on="value", how="left", maintain_order="left")
    return joined["place"].cast(pl.Int64).fill_null(-1).to_numpy()


def _places(values: pl.Series, places: np.ndarray) -> np.ndarray:
    """The places by the number of a category."""
    numbers = values.to_physical().to_numpy()
    table = np.full(int(numbers.max(initial=0)) + 1, -1, dtype=np.int32)
    table[numbers] = places
    return table


def _renamed(values: pl.Series, named: Callable[[str], str]) -> tuple[pl.Series, np.ndarray]:
    """Sorted names, and the place of each category's among them."""
    new = [named(text) for text in values.cast(pl.String)]
    names = pl.Series(sorted(set(new)), dtype=pl.String)
    place = {name: number for number, name in enumerate(names)}
    return names, _places(values, np.array([place[name] for name in new], dtype=np.int32))


def _kept(rows: pl.DataFrame, condition: pl.Expr) -> tuple[pl.DataFrame, int]:
    kept = rows.filter(condition)
    return kept, rows.height - kept.height


def _one_way(facts: pl.DataFrame) -> pl.DataFrame:
    """Of the facts between two concepts by a relation those that run as the first of them."""
    low, high = pl.min_horizontal("head", "tail"), pl.max_horizontal("head", "tail")
    pairs = facts.with_columns(low=low, high=high)
    first = pairs.unique(["low", "high", "relation"], keep="first").select(COLUMNS[:3])
    return facts.join(first, on=COLUMNS[:3], how="semi")


def _numbers(facts: pl.DataFrame, concepts: int, relations: int, sources: int) -> np.ndarray:
    number = facts["head"].to_numpy().astype(np.int64)
    for column, count in (("relation", relations), ("tail", concepts), ("source", sources)):
        number *= count
        number += facts[column].to_numpy()
    number.sort()
    return number


def _joined(names: pl.Series, places: np.ndarray, first: np.ndarray) -> pl.Series:
    """The names at `places`, those from one of `first` to the next in one text, with "|"."""
    count = np.diff(first, append=len(places))
    texts = names.gather(places[first])
    for nth in range(1, count.max(initial=0)):
        more = np.flatnonzero(count > nth)
        longer = texts.gather(more) + "|" + names.gather(places[first[more] + nth])
        texts = texts.scatter(more, longer)
    return texts
