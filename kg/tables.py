"""The two tables that every knowledge graph becomes: concepts and triplets.

`concepts.parquet` is sorted by cui; row i of it, of `features.h5` and of `embeddings.h5` is the
same concept, and i is the concept's node number. `triplets.parquet` holds directed facts
(head, relation, tail) and where each comes from. Sources are read by `kg.hpo`, `kg.umls`,
`kg.release` and `kg.dragon`; nobody else needs to know them.
"""

import hashlib
import logging
from pathlib import Path

import polars as pl

from kg.artefact import replacing
from kg.errors import InputError

__all__ = [
    "CONCEPTS",
    "TRIPLETS",
    "concepts_digest",
    "node_numbers",
    "normalise_concepts",
    "normalise_triplets",
    "read_concepts",
    "read_triplets",
    "write_concepts",
    "write_triplets",
]

CONCEPTS = pl.Schema(
    {
        "cui": pl.String(),
        "name": pl.String(),
        "synonyms": pl.List(pl.String),
        "semantic_types": pl.List(pl.String),
        "definition": pl.String(),
    }
)
"""cui: UMLS CUI, or the source's own id where there is none. definition may be null."""

TRIPLETS = pl.Schema(
    {"head": pl.String, "relation": pl.String, "tail": pl.String, "source": pl.String}
)
"""head and tail are cuis; source names the vocabularies a fact comes from, joined by "|"."""

_ROW_GROUP = 1 << 20
"""Rows written at once: polars looks through a whole list column again for every group."""

log = logging.getLogger(__name__)


def normalise_concepts(concepts: pl.DataFrame) -> pl.DataFrame:
    """Concepts in the table's columns and order.

    Raises InputError on a cui that is empty or stands twice, and on a missing name.
    """
    concepts = concepts.select(CONCEPTS.names()).cast(CONCEPTS).sort("cui")
    for column in ("cui", "name"):
        empty = concepts.filter(pl.col(column).fill_null("").str.strip_chars() == "")
        if empty.height:
            raise InputError(
                f"{empty.height} concepts have no {column} (first: {empty.row(0)}); "
                "every concept needs one"
            )
    twice = concepts.filter(pl.col("cui").is_duplicated())
    if twice.height:
        raise InputError(f"the cui {twice['cui'][0]} stands {twice.height} times, expected once")
    return concepts


def normalise_triplets(triplets: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    """Triplets in the table's columns, one row a fact, sorted; sources of duplicates are joined.

    Raises InputError when an end of a triplet is not a concept.
    """
    triplets = _merged(triplets)
    node_numbers(concepts, triplets)
    return triplets


def node_numbers(concepts: pl.DataFrame, triplets: pl.DataFrame) -> tuple[pl.Series, pl.Series]:
    """Row in `concepts` of each triplet's head and of its tail.

    Raises InputError when an end of a triplet is not a concept.
    """
    numbers = concepts.select("cui").with_row_index("node")
    # The table is in the order of the heads: few of them are looked up.
    runs = triplets["head"].rle().struct.unnest().rename({"value": "cui"})
    heads = runs.join(numbers, on="cui", how="left", maintain_order="left")
    head = heads.select(pl.col("node").repeat_by("len").explode()).to_series()
    tail = triplets.select(cui="tail").join(numbers, on="cui", how="left", maintain_order="left")
    for end, nodes in (("head", head), ("tail", tail["node"])):
        if lost := nodes.null_count():
            raise InputError(
                f"the {end} of {lost} of {triplets.height} triplets is not in the concepts "
                f"(first: {triplets.row(nodes.is_null().arg_max() or 0)}); "
                "write both tables from the same source"
            )
    return head, tail["node"]


def write_concepts(path: Path, concepts: pl.DataFrame) -> None:
    """Check and write `concepts.parquet`."""
    with replacing(path) as temporary:
        normalise_concepts(concepts).write_parquet(temporary, row_group_size=_ROW_GROUP)


def write_triplets(
    path: Path, triplets: pl.DataFrame, concepts: pl.DataFrame
) -> tuple[pl.Series, pl.Series]:
    """Check against the concepts and write `triplets.parquet`; returns their `node_numbers`."""
    triplets = _merged(triplets)
    nodes = node_numbers(concepts, triplets)
    with replacing(path) as temporary:
        triplets.write_parquet(temporary, row_group_size=_ROW_GROUP)
    return nodes


def read_concepts(path: Path) -> pl.DataFrame:
    """Read `concepts.parquet`, checking its columns and order."""
    concepts = _read(path, CONCEPTS)
    if not concepts["cui"].is_sorted():
        raise InputError(f"{path} is not sorted by cui; write it with kg.tables.write_concepts")
    return concepts


def read_triplets(path: Path) -> pl.DataFrame:
    """Read `triplets.parquet`, checking its columns."""
    return _read(path, TRIPLETS)


def concepts_digest(cuis: pl.Series) -> str:
    """SHA-256 of the ordered cuis: two artefacts with equal digests have the same rows."""
    digest = hashlib.sha256()
    for cui in cuis:
        digest.update(cui.encode() + b"\n")
    return digest.hexdigest()


def _merged(triplets: pl.DataFrame) -> pl.DataFrame:
    triplets = triplets.select(TRIPLETS.names()).cast(TRIPLETS)
    if _is_distinct_and_sorted(triplets):
        return triplets
    return (
        triplets.group_by("head", "relation", "tail")
        .agg(pl.col("source").unique().sort().str.join("|"))
        .sort("head", "relation", "tail")
    )


def _is_distinct_and_sorted(triplets: pl.DataFrame) -> bool:
    """Tells tens of millions of rows that are in order already, many times faster than sorting."""
    later = pl.lit(False)
    for column in ("tail", "relation", "head"):
        value, before = pl.col(column), pl.col(column).shift()
        later = (value > before) | ((value == before) & later)
    return bool(triplets.select(later.slice(1).all()).item())


def _read(path: Path, schema: pl.Schema) -> pl.DataFrame:
    if not path.is_file():
        raise InputError(f"{path} does not exist; run the kg stage that makes it")
    frame = pl.read_parquet(path)
    if frame.schema != schema:
        raise InputError(f"{path} has the columns {dict(frame.schema)}, expected {dict(schema)}")
    return frame
