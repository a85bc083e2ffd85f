"""Two graphs become one by shared ids and by pairs of ids."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kg.graph.tables import CONCEPTS, TRIPLETS, read_triplets, write_concepts, write_triplets
from kg.merge import MergeCommand
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.merge import merged
from kg.sources.settings import MergeConfig

GRAPHS = ("a", "b")


@pytest.fixture
def graphs(tmp_path: Path) -> Path:
    """Two graphs that share X:1; B:2 is another id of A:2."""
    facts = {
        "a": [("A:2", "has", "X:1", "S|T"), ("A:3", "has", "X:1", "S")],
        "b": [("B:2", "has", "X:1", "S|U"), ("B:2", "is_a", "B:3", "U")],
    }
    for graph, rows in facts.items():
        ids = sorted({end for head, _, tail, _ in rows for end in (head, tail)})
        named = [(id, f"{id} of {graph}", [], [graph], None) for id in ids]
        concepts = pl.DataFrame(named, CONCEPTS, orient="row")
        write_concepts(tmp_path / graph / "concepts.parquet", concepts)
        triplets = pl.DataFrame(rows, TRIPLETS, orient="row")
        write_triplets(tmp_path / graph / "triplets.parquet", triplets, concepts)
    return tmp_path


def merge(folder: Path, *pairs: tuple[str, str], **config: Any) -> Any:
    if pairs:
        lines = ["# a comment", "subject_id\tobject_id", *("\t".join(pair) for pair in pairs)]
        (folder / "m.sssom.tsv").write_text("\n".join(lines) + "\n")
        config["pairs"] = {}
    return merged(folder, MergeConfig.model_validate({"graphs": GRAPHS, **config}))


def test_by_shared_ids(graphs):
    concepts, triplets, files = merge(graphs)
    assert concepts["cui"].to_list() == ["A:2", "A:3", "B:2", "B:3", "X:1"]
    assert concepts.rows()[-1] == ("X:1", "X:1 of a", ["X:1 of b"], ["a", "b"], None)
    assert triplets.height == 4
    assert files == {
        "concepts": {"read": 6, "dropped": {"same id": 1}, "kept": 5},
        "triplets": {"read": 4, "dropped": {}, "kept": 4},
    }


def test_by_pairs_sources_are_joined_and_every_pair_is_counted(graphs):
    pairs = [("B:2", "A:2"), ("A:2", "B:2"), ("A:2", "Z:1"), ("X:1", "X:1")]
    concepts, triplets, files = merge(graphs, *pairs)
    assert concepts["cui"].to_list() == ["A:2", "A:3", "B:3", "X:1"]
    assert triplets.rows()[:2] == [
        ("A:2", "has", "X:1", "S|T|U"),
        ("A:2", "is_a", "B:3", "U"),
    ]
    dropped = {"no such concept": 1, "same id": 1, "same pair": 1}
    assert files["m.sssom.tsv"] == {"read": 4, "dropped": dropped, "kept": 1}
    assert files["triplets"] == {"read": 4, "dropped": {"same fact": 1}, "kept": 3}


def test_an_id_with_several_partners_is_joined_with_none(graphs):
    concepts, _, files = merge(graphs, ("A:2", "B:2"), ("A:3", "B:2"), ("X:1", "B:3"))
    assert concepts["cui"].to_list() == ["A:2", "A:3", "B:2", "X:1"]
    assert files["m.sssom.tsv"] == {"read": 3, "dropped": {"several partners": 2}, "kept": 1}


def test_facts_inside_a_merged_concept_are_dropped(graphs):
    _, _, files = merge(graphs, ("A:2", "X:1"))
    assert files["triplets"]["dropped"] == {"inside one concept": 1}


def test_one_graph_is_too_few(graphs):
    with pytest.raises(InputError, match=r"names \['a'\], expected two or more"):
        merge(graphs, graphs=("a",))


def test_command(graphs):
    arguments = ["--folder", str(graphs), "--out", str(graphs / "out")]
    main(MergeCommand, [*arguments, "--config", '{"graphs": ["a", "b"]}'])
    assert read_triplets(graphs / "out/triplets.parquet").height == 4
