"""The two tables that every knowledge graph becomes: concepts and triplets; lists of parents.

`concepts.parquet` is sorted by cui; row i of it, of `features.h5` and of `embeddings.h5` is the
same concept, and i is the concept's node number. `triplets.parquet` holds directed facts
(head, relation, tail) and where each comes from. `parents.parquet` is a release's own list of the
concepts' parents; other sources name them in the triplets only. Sources are read by the
commands that docs/how-to/graphs-in.md lists; nobody else needs to know them.
"""

import hashlib
import logging
from pathlib import Path

import numpy as np
import polars as pl

from kg.graph.numbering import Numbering
from kg.shared.artefact import replacing
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = [
    "CONCEPTS",
    "PARENTS",
    "PARENT_RELATIONS",
    "TRIPLETS",
    "concepts_digest",
    "node_numbers",
    "normalise_concepts",
    "normalise_triplets",
    "parents_of",
    "read_concepts",
    "read_parents",
    "read_table",
    "read_triplets",
    "write_concepts",
    "write_parents",
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

PARENTS = pl.Schema({"cui": pl.String(), "values": pl.List(pl.String)})
"""values: cuis of the parents, the ones to be taken first before the others."""

PARENT_RELATIONS = ("is_a", "isa", "CHD")
"""Relations whose tail is the head's parent, as kg.hpo and kg.umls write them."""

_CONCEPTS_AT_ONCE = 1 << 22
"""Polars looks through a whole list column again for every group of rows."""
_TRIPLETS_AT_ONCE = 1 << 18
"""Few different heads a group make a small dictionary."""
_FEW_IDS = 10_000
"""So many ids that are no CUIs cost less as numbers than a join."""
_LEVEL = 1
"""Zstandard's first level is the cheapest; the files are as small as at its usual third."""

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
    # In order, equal ones are neighbours.
    twice = concepts.filter(pl.col("cui") == pl.col("cui").shift())["cui"]
    if len(twice):
        times = (concepts["cui"] == twice[0]).sum()
        raise InputError(f"the cui {twice[0]} stands {times} times, expected once")
    return concepts


def normalise_triplets(triplets: pl.DataFrame, concepts: pl.DataFrame) -> pl.DataFrame:
    """Triplets in the table's columns, one row a fact, sorted; sources of duplicates are joined.

    Raises InputError when an end of a triplet is not a concept.
    """
    triplets = _merged(triplets)
    node_numbers(concepts, triplets)
    return triplets


def parents_of(triplets: pl.DataFrame) -> pl.DataFrame:
    """The parents (columns of `PARENTS`) that the triplets of `PARENT_RELATIONS` name."""
    links = triplets.filter(pl.col("relation").is_in(PARENT_RELATIONS))
    parents = links.group_by(cui="head").agg(values=pl.col("tail").unique().sort())
    return parents.sort("cui")


def node_numbers(concepts: pl.DataFrame, triplets: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Row in `concepts` of each triplet's head and of its tail.

    Raises InputError when an end of a triplet is not a concept.
    """
    cuis = concepts["cui"]
    # The table is in the order of the heads: few of them are looked up.
    runs = triplets["head"].rle().struct.unnest()
    head = np.repeat(_places(runs["value"], cuis), runs["len"].to_numpy())
    tail = _places(triplets["tail"], cuis)
    for end, nodes in (("head", head), ("tail", tail)):
        if lost := np.count_nonzero(nodes < 0):
            raise InputError(
                f"the {end} of {lost} of {triplets.height} triplets is not in the concepts "
                f"(first: {triplets.row(int(nodes.argmin()))}); "
                "write both tables from the same source"
            )
    return head, tail


def write_concepts(path: Path, concepts: pl.DataFrame) -> None:
    """Check and write `concepts.parquet`."""
    with replacing(path) as temporary:
        normalise_concepts(concepts).write_parquet(
            temporary, row_group_size=_CONCEPTS_AT_ONCE, compression_level=_LEVEL
        )


def write_triplets(
    path: Path, triplets: pl.DataFrame, concepts: pl.DataFrame
) -> tuple[np.ndarray, np.ndarray]:
    """Check against the concepts and write `triplets.parquet`; returns their `node_numbers`."""
    triplets = _merged(triplets)
    nodes = node_numbers(concepts, triplets)
    with replacing(path) as temporary:
        triplets.write_parquet(
            temporary, row_group_size=_TRIPLETS_AT_ONCE, compression_level=_LEVEL
        )
    return nodes


def write_parents(path: Path, parents: pl.DataFrame) -> None:
    """Write `parents.parquet`."""
    with replacing(path) as temporary:
        parents.select(PARENTS.names()).cast(PARENTS).write_parquet(temporary)


def read_table(path: Path, schema: pl.Schema) -> pl.DataFrame:
    """A parquet file with exactly these columns; raises InputError where it is another one."""
    check_file(path, "run the kg stage that makes it")
    try:
        frame = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise InputError(f"{path} is not a whole parquet file: {error}; make it again") from error
    if frame.schema != schema:
        raise InputError(f"{path} has the columns {dict(frame.schema)}, expected {dict(schema)}")
    return frame


def read_parents(path: Path) -> pl.DataFrame:
    """Read `parents.parquet`, checking its columns."""
    return read_table(path, PARENTS)


def read_concepts(path: Path) -> pl.DataFrame:
    """Read `concepts.parquet`, checking its columns, its order, and that all have a name."""
    concepts = read_table(path, CONCEPTS)
    cuis, names = concepts["cui"], concepts["name"]
    if cuis.null_count() or (cuis <= cuis.shift()).any():
        raise InputError(
            f"{path} is not sorted by cui, each once; write it with kg.tables.write_concepts"
        )
    if nameless := (names.fill_null("") == "").sum():
        raise InputError(
            f"{path}: {nameless} of {len(names)} concepts have no name, expected one each"
        )
    return concepts


def read_triplets(path: Path) -> pl.DataFrame:
    """Read `triplets.parquet`, checking its columns, and that every fact is whole."""
    triplets = read_table(path, TRIPLETS)
    if broken := sum(triplets[column].null_count() for column in ("head", "relation", "tail")):
        raise InputError(
            f"{path}: {broken} of {3 * triplets.height} heads, relations and tails are missing; "
            "write it with kg.tables.write_triplets"
        )
    return triplets


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


def _places(values: pl.Series, cuis: pl.Series) -> np.ndarray:
    """The place in `cuis` of each value, -1 where it is not there."""
    # A table of all CUIs' numbers is many times faster than a join of millions of strings, and
    # numbers of many other ids are many times slower.
    numbering = Numbering(cuis)
    if numbering.others > _FEW_IDS:
        found = cuis.to_frame("cui").with_row_index("place")
        rows = values.to_frame("cui").join(found, on="cui", how="left", maintain_order="left")
        return rows["place"].cast(pl.Int32).fill_null(-1).to_numpy()
    numbers = values.to_frame("cui").select(numbering.number("cui")).to_series()
    return numbering.places(cuis)[numbers.to_numpy()]


def _is_distinct_and_sorted(triplets: pl.DataFrame) -> bool:
    """Tells tens of millions of rows that are in order already, many times faster than sorting."""
    later = pl.lit(False)
    for column in ("tail", "relation", "head"):
        value, before = pl.col(column), pl.col(column).shift()
        later = (value > before) | ((value == before) & later)
    return bool(triplets.select(later.slice(1).all()).item())
