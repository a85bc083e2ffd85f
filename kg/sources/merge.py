"""Several graphs to one: concepts are the same by their id, or by a table of pairs of ids."""

from pathlib import Path

import polars as pl

from kg.graph.tables import normalise_triplets, read_concepts, read_triplets
from kg.shared.errors import InputError
from kg.sources.concepts import concept_table
from kg.sources.settings import MergeConfig, PairsTable
from kg.sources.summary import Summary, file_rows
from kg.sources.table import Tables

__all__ = ["merged"]


def merged(
    folder: Path, config: MergeConfig
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Summary]]:
    """Concepts, triplets and what became of the pairs and of the graphs' rows.

    A concept of several graphs has the id, the name and the definition of the first that has one.
    """
    if len(set(config.graphs)) < 2:
        raise InputError(
            f"kg.merge.graphs names {list(config.graphs)}, expected two or more different folders "
            f"of {folder}, each with the concepts.parquet and triplets.parquet of a graph"
        )
    folders = [folder / name for name in config.graphs]
    concepts = pl.concat(read_concepts(one / "concepts.parquet") for one in folders)
    triplets = pl.concat(read_triplets(one / "triplets.parquet") for one in folders)
    files: dict[str, Summary] = {}
    if config.pairs:
        tables = Tables(folder, config.pairs)
        same, files[tables.name] = _same(tables, config.pairs, concepts["cui"])
        concepts = concepts.with_columns(pl.col("cui").replace(same))
        triplets = triplets.with_columns(pl.col("head", "tail").replace(same))
    table, files["concepts"] = concept_table(concepts)
    facts, files["triplets"] = _facts(triplets, table)
    return table, facts, files


def _same(tables: Tables, config: PairsTable, cuis: pl.Series) -> tuple[dict[str, str], Summary]:
    """The id of the first graph for the other of each pair, and what became of the pairs.

    An id with several partners is not joined with any: they would become one concept.
    """
    rows = tables.select(one=config.one, other=config.other).collect(engine="streaming")
    rows = rows.with_columns(pl.all().fill_null("").str.strip_chars())
    place = cuis.to_frame("cui").with_row_index("place").unique("cui", keep="first")
    known = rows
    for end in ("one", "other"):
        found = place.select(pl.col("cui").alias(end), pl.col("place").alias(f"{end}_place"))
        known = known.join(found, on=end, how="inner")
    two = known.filter(pl.col("one") != pl.col("other"))
    first = pl.col("one_place") < pl.col("other_place")
    pairs = two.select(
        kept=pl.when(first).then("one").otherwise("other"),
        gone=pl.when(first).then("other").otherwise("one"),
    )
    distinct = pairs.unique()
    ends = pl.concat([distinct["kept"], distinct["gone"]])
    several = ends.filter(ends.is_duplicated()).unique().implode()
    clear = distinct.filter(~pl.col("kept").is_in(several), ~pl.col("gone").is_in(several))
    dropped = {
        "no such concept": rows.height - known.height,
        "same id": known.height - two.height,
        "same pair": two.height - distinct.height,
        "several partners": distinct.height - clear.height,
    }
    same = dict(clear.select("gone", "kept").iter_rows())
    return same, file_rows(rows.height, dropped, clear.height)


def _facts(triplets: pl.DataFrame, concepts: pl.DataFrame) -> tuple[pl.DataFrame, Summary]:
    two = triplets.filter(pl.col("head") != pl.col("tail"))
    sources = pl.col("source").str.split("|")
    facts = normalise_triplets(two.with_columns(sources).explode("source"), concepts)
    dropped = {
        "inside one concept": triplets.height - two.height,
        "same fact": two.height - facts.height,
    }
    return facts, file_rows(triplets.height, dropped, facts.height)
