"""The graph prepared for DRAGON (its `umls/` folder) to the two tables.

Files: `concepts.txt` (a CUI a line), `concept_names.txt` (CUI, TAB, name), `umls.csv` (relation,
subject, object, weight, TAB-separated), `relations.txt` (a relation a line; optional). The order of
concepts.txt, which DRAGON numbers its nodes by, is not kept.
"""

import logging
from pathlib import Path

import polars as pl

from kg.graph.tables import TRIPLETS
from kg.shared.errors import InputError
from kg.shared.lines import numbered_lines, table_rows
from kg.sources.facts import between_concepts
from kg.sources.release import named_concepts, read_names
from kg.sources.summary import Summary, file_rows
from kg.sources.umls.concepts import read_vocabulary

__all__ = ["read_dragon"]

log = logging.getLogger(__name__)

NEXT_STEP = "give the umls/ folder of DRAGON's data"


def read_dragon(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame, Summary]:
    """Named concepts of concepts.txt, triplets of umls.csv between them, and counts."""
    vocabulary = read_vocabulary(folder / "concepts.txt")
    concepts = named_concepts(read_names(folder / "concept_names.txt")).filter(
        pl.col("cui").is_in(vocabulary.implode())
    )
    rows = _read_edges(folder / "umls.csv")
    if not concepts.height:
        raise InputError(f"no concept of {folder}/concepts.txt has a name; {NEXT_STEP}")
    _check_columns(folder / "umls.csv", rows, vocabulary)
    _check_relations(folder / "relations.txt", rows)
    triplets, triplet_rows = between_concepts(rows, concepts)
    dropped = {"no name": len(vocabulary) - concepts.height}
    files = {
        "concepts.txt": file_rows(len(vocabulary), dropped, concepts.height),
        "umls.csv": triplet_rows,
    }
    return concepts, triplets, files


def _read_edges(path: Path) -> pl.DataFrame:
    rows = []
    columns = "relation, subject, object and weight"
    for number, row in table_rows(path, columns, (3, 4), NEXT_STEP):
        relation, subject, object_, *_ = (field.strip() for field in row)
        if not (relation and subject and object_):
            raise InputError(f"{path} line {number}: expected {columns}, got {row}; {NEXT_STEP}")
        rows.append((subject, relation, object_, "DRAGON"))
    return pl.DataFrame(rows, TRIPLETS, orient="row")


def _check_columns(path: Path, rows: pl.DataFrame, vocabulary: pl.Series) -> None:
    """Raise InputError where the second or the third column holds no concept in any row."""
    columns = rows.select("relation", "head", "tail")
    concepts = columns.select(pl.all().is_in(vocabulary.implode()).any()).row(0)
    if rows.height and not all(concepts[1:]):
        got = ", ".join("a concept" if found else "no concept" for found in concepts)
        raise InputError(
            f"{path}: the columns hold {got}; expected relation, subject, object, of which the "
            "last two are ids of concepts.txt; bring them into this order"
        )


def _check_relations(path: Path, rows: pl.DataFrame) -> None:
    if not path.is_file():
        log.info("%s is not there: the relations of umls.csv are taken as they are", path)
        return
    listed = {line.strip() for _, line in numbered_lines(path, NEXT_STEP)}
    unknown = sorted(set(rows["relation"]) - listed)
    if unknown:
        raise InputError(f"umls.csv has the relation {unknown[0]!r}, which {path} does not list")
