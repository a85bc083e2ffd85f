"""Measures of encoders side by side."""

import json

import polars as pl
import pytest

from kg.command import main
from kg.comparison import FREE, MEASURES, ComparisonCommand, comparison


def metrics(mrr, relations=True, accuracy=0.9, seed=0):
    """As kg.train writes them; a graph with one relation has nothing to classify."""
    links = {key: mrr for key in ("mrr", "hits@1", "hits@3", "hits@10")}
    links |= {"macro_mrr": mrr / 2, "macro_hits@10": mrr / 2, "by_relation": {}}
    probes = {
        "choice_of_known_facts": {"a": 0.5, "b": 1.0},
        "choice_of_new_facts": {},
        "parent": None,
        "parent_by_map": {"mrr": mrr + 0.2},
        "branch": mrr + 0.1,
        "semantic_type": 0.5,
    }
    names = ("test", "popularity", "text_cosine", "text_neighbours", "smoothed", "combined")
    relation = {"accuracy": accuracy, "macro": 0.4, "n": 3} if relations else None
    vectors = ("stored", "text", "smoothed")
    return {
        "config": {"seed": seed},
        "link_prediction": dict.fromkeys(names, links),
        "relation_classification": dict.fromkeys((*vectors, "most_frequent"), relation),
        "probes": dict.fromkeys(vectors, probes),
    }


def test_rows_and_columns():
    table = comparison({"text": metrics(0.125), "complex": metrics(0.25)})
    assert table.columns == ["encoder", *MEASURES]
    assert table["encoder"].to_list() == ["text", "complex", *FREE]
    assert table["MRR"].to_list() == [0.125, 0.25, *[0.125] * len(FREE)]
    assert table["MRR with copying"].to_list() == [0.125, 0.25, *[None] * len(FREE)]
    assert table["choice, new facts"].null_count() == table["parent MRR"].null_count() == 6
    rows = {row["encoder"]: row for row in table.to_dicts()}
    of_vectors = "choice, known facts", "parent MRR by a map", "relation macro accuracy", "branch"
    for name in ("text", "(text)", "(text smoothed)"):
        assert [rows[name][column] for column in of_vectors] == [0.75, 0.325, 0.4, 0.225]
        assert rows[name]["semantic type"] == 0.5
    for name in ("(popularity)", "(text: nearest names)"):
        assert {rows[name][column] for column in (*of_vectors, "semantic type")} == {None}


def test_one_relation():
    table = comparison({"text": metrics(0.1, relations=False)})
    assert table["relation accuracy"].null_count() == 1 + len(FREE)


@pytest.fixture
def folder(tmp_path):
    for name, mrr in {"text": 0.125, "complex": 0.25}.items():
        (tmp_path / f"{name}.json").write_text(json.dumps(metrics(mrr)))
    return tmp_path


def test_splits_of_several_seeds_are_told(folder, caplog):
    (folder / "other.json").write_text(json.dumps(metrics(0.5, seed=1)))
    paths = {name: str(folder / f"{name}.json") for name in ("text", "other")}
    main(ComparisonCommand, [f"--encoders={json.dumps(paths)}", f"--out={folder}/kg.tsv"])
    assert "splits of several seeds" in caplog.text


def test_files(folder):
    paths = {name: str(folder / f"{name}.json") for name in ("text", "complex")}
    for out in ("one", "two"):
        main(ComparisonCommand, [f"--encoders={json.dumps(paths)}", f"--out={folder / out}/kg.tsv"])
    table = pl.read_csv(folder / "one" / "kg.tsv", separator="\t")
    assert table["MRR"].to_list() == [0.125, 0.25, *[0.125] * len(FREE)]
    svg = (folder / "one" / "kg.svg").read_text()
    assert ">complex<" in svg
    assert ">0.250<" in svg
    for kind in ("svg", "png", "tsv"):
        pair = [(folder / out / f"kg.{kind}").read_bytes() for out in ("one", "two")]
        assert pair[0] == pair[1]
