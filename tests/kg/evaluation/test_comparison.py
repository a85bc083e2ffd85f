"""Measures of encoders side by side."""

from kg.evaluation.comparison import DRAWN, FREE, comparison
from kg.evaluation.metrics import EncoderMetrics

GRAPH = ("nodes", "relations", "train", "validation", "test", "asked")


def metrics(mrr, relations=True, accuracy=0.9, seed=0):
    """As kg.train writes them; a graph with one relation has nothing to classify."""
    keys = ("mrr", "hits@1", "hits@3", "hits@10")
    ranks = dict.fromkeys(keys, mrr) | {"n": 6}
    links = ranks | {f"macro_{key}": mrr / 2 for key in keys} | {"by_relation": {"a": ranks}}
    probes = {
        "choice_of_known_facts": {"a": 0.5, "b": 1.0},
        "choice_of_new_facts": {},
        "parent": None,
        "parent_by_map": ranks | {"mrr": mrr + 0.2},
        "branch": mrr + 0.1,
        "semantic_type": 0.5,
    }
    names = ("test", "popularity", "text_cosine", "text_neighbours", "smoothed", "combined")
    relation = {"accuracy": accuracy, "macro": 0.4, "n": 3} if relations else None
    vectors = ("stored", "text", "smoothed")
    return {
        "config": {"seed": seed},
        "graph": dict.fromkeys(GRAPH, 3),
        "link_prediction": dict.fromkeys(names, links),
        "relation_classification": dict.fromkeys((*vectors, "most_frequent"), relation),
        "probes": dict.fromkeys(vectors, probes),
    }


def compared(files):
    """The table of these files' contents."""
    return comparison({k: EncoderMetrics.model_validate(v) for k, v in files.items()})


def test_rows_and_columns():
    table = compared({"text": metrics(0.125), "complex": metrics(0.25)})
    assert table.columns[:2] == ["encoder", "MRR"]
    assert set(DRAWN) <= set(table.columns)
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
    table = compared({"text": metrics(0.1, relations=False)})
    assert table["relation accuracy"].null_count() == 1 + len(FREE)
