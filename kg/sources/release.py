"""The published release of MEG (its `umls/` folder) to the two tables and embedding stores.

Files: `vocab.csv` (CUI, name), `triplets.jsonl` ({"a", "rel", "b", ...}); optional
`vocab_parents.jsonl` ({cui: [cuis]}) and `embeddings/word2embed_*.h5`. Concepts without a vector
are left out, so that tables and stores have the same rows; with the stores nobody needs to train an
encoder.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl

from kg.graph.tables import CONCEPTS, PARENTS, TRIPLETS, parents_of
from kg.shared.errors import InputError
from kg.shared.lines import json_lines, table_rows
from kg.sources.facts import between_concepts
from kg.sources.summary import Summary, file_rows

__all__ = [
    "concept_parents",
    "embedding_files",
    "named_concepts",
    "read_names",
    "read_parent_lists",
    "read_release",
]

log = logging.getLogger(__name__)

Embeddings = dict[str, tuple[list[str], np.ndarray]]
"""The * of word2embed_*.h5 -> its names and vectors."""

NEXT_STEP = "give the umls/ folder of the release (docs/how-to/umls.md)"


def read_release(
    folder: Path, embeddings: Embeddings
) -> tuple[pl.DataFrame, pl.DataFrame, Summary]:
    """Concepts that have a vector in every one of the embeddings, triplets between them, counts."""
    names = read_names(folder / "vocab.csv")
    distinct = names.n_unique()
    concepts = named_concepts(names)
    kept = concepts
    for other, _ in embeddings.values():
        kept = kept.filter(pl.col("cui").is_in(pl.Series(other).implode()))
    rows = _read_triplets(folder / "triplets.jsonl")
    triplets, triplet_rows = between_concepts(rows, kept)
    # A row is a name: a concept's first one or a synonym.
    used = kept.height + int(kept["synonyms"].list.len().sum())
    dropped = {"same name": names.height - distinct, "no embedding": distinct - used}
    files = {
        "vocab.csv": file_rows(names.height, dropped, used),
        "triplets.jsonl": triplet_rows,
    }
    if not kept.height:
        raise InputError(f"no concept of {folder} is left ({files['vocab.csv']}); {NEXT_STEP}")
    return kept, triplets, files


def read_names(path: Path) -> pl.DataFrame:
    """`cui` and `name` from lines of a CUI, a TAB and a name."""
    rows = []
    for number, (cui, name) in table_rows(path, "a CUI and a name", (2,), NEXT_STEP):
        if not (cui.strip() and name.strip()):
            raise InputError(
                f"{path} line {number}: expected a CUI and a name, got {cui!r}, {name!r}"
            )
        rows.append((cui.strip(), name.strip()))
    return pl.DataFrame(rows, {"cui": pl.String, "name": pl.String}, orient="row")


def named_concepts(names: pl.DataFrame) -> pl.DataFrame:
    """The table of concepts; further names of a cui are its synonyms."""
    grouped = names.unique(maintain_order=True).group_by("cui", maintain_order=True)
    return (
        grouped.agg(pl.col("name").first(), synonyms=pl.col("name").slice(1))
        .with_columns(
            semantic_types=pl.lit([], pl.List(pl.String)), definition=pl.lit(None, pl.String)
        )
        .select(CONCEPTS.names())
        .sort("cui")
    )


def read_parent_lists(path: Path) -> pl.DataFrame:
    """The parents (columns of `kg.graph.tables.PARENTS`) from lines of {cui: [cuis]}."""
    rows: list[tuple[Any, Any]] = []
    for number, record in json_lines(path, NEXT_STEP):
        for cui, values in record.items():
            if not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
                raise InputError(f"{path} line {number}: expected a CUI and a list of CUIs")
            rows.append((cui, values))
    return pl.DataFrame(rows, PARENTS, orient="row")


def embedding_files(folder: Path, wanted: Sequence[str] | None) -> dict[str, Path]:
    """The wanted embedding files by their name; all of them for None."""
    found = {
        path.stem.removeprefix("word2embed_"): path
        for path in sorted(folder.glob("embeddings/word2embed_*.h5"))
    }
    if not found:
        log.info("%s has no embeddings/word2embed_*.h5: no store is written", folder)
    if wanted is None:
        return found
    return {name: found[_full_name(name, list(found), folder)] for name in wanted}


def concept_parents(
    path: Path, concepts: pl.DataFrame, triplets: pl.DataFrame
) -> tuple[pl.DataFrame, Summary]:
    """The concepts' parents, and what became of the file's lists where it is there."""
    if not path.is_file():
        log.info("%s is not there: parents are those that the triplets name", path)
        return parents_of(triplets), {}
    listed = read_parent_lists(path)
    parents = listed.join(concepts, on="cui", how="semi", maintain_order="left")
    dropped = {"no concept": listed.height - parents.height}
    rows = file_rows(listed.height, dropped, parents.height)
    own = sum(above.count(cui) for cui, above in parents.iter_rows())
    others = [[one for one in above if one != cui] for cui, above in parents.iter_rows()]
    kept = parents.with_columns(values=pl.Series(others, dtype=PARENTS["values"]))
    return kept, {path.name: {**rows, "concepts_among_their_own_parents": own}}


def _read_triplets(path: Path) -> pl.DataFrame:
    rows = []
    for number, record in json_lines(path, NEXT_STEP):
        triplet = tuple(record.get(field) for field in ("a", "rel", "b"))
        if not all(isinstance(value, str) and value for value in triplet):
            raise InputError(
                f"{path} line {number}: expected strings a, rel and b, got {record!r:.200}"
            )
        rows.append((*triplet, "MEG"))
    return pl.DataFrame(rows, TRIPLETS, orient="row")


def _full_name(name: str, found: Sequence[str], folder: Path) -> str:
    """The one among those found that is `name`, or begins with it as graphsage_sapbertinit does."""
    fitting = [other for other in found if other == name or other.startswith(f"{name}_")]
    if name in fitting:
        return name
    if len(fitting) != 1:
        fault = f"several of the name {name}" if fitting else f"no word2embed_{name}.h5"
        raise InputError(
            f"{folder}/embeddings has {fault}, which the config names; "
            f"it has those of: {', '.join(found) or 'nothing'}; name one of them"
        )
    return fitting[0]
