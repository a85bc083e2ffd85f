"""A small part of a graph."""

import polars as pl
import pytest

from kg.graph.tables import CONCEPTS
from kg.shared.errors import InputError
from kg.sources.subgraph import connected_subgraph


def graph():
    """40 terms in a chain, 40 diseases (disease i has the terms up to i), 40 genes."""
    kinds = {"T": "phenotype", "D": "disease", "G": "gene"}
    rows = [(f"{k}{i:02}", f"{k}{i}", [], [kinds[k]], None) for k in kinds for i in range(40)]
    chain = [(f"T{i:02}", "is_a", f"T{i - 1:02}") for i in range(1, 40)]
    has = [(f"D{i:02}", "has_phenotype", f"T{j:02}") for i in range(40) for j in range(i + 1)]
    genes = [(f"G{i:02}", "gene_of_disease", f"D{i:02}") for i in range(0, 40, 2)]
    triplets = [(*row, "x") for row in chain + has + genes]
    return (
        pl.DataFrame(rows, schema=CONCEPTS, orient="row").sort("cui"),
        pl.DataFrame(triplets, schema=["head", "relation", "tail", "source"], orient="row"),
    )


def test_size_kinds_and_edges():
    concepts, triplets = connected_subgraph(*graph(), limit=32)
    kinds = concepts["cui"].str.slice(0, 1).value_counts()
    assert dict(kinds.rows()) == {"T": 16, "D": 12, "G": 4}
    inside = set(concepts["cui"])
    assert set(triplets["head"]) | set(triplets["tail"]) == inside
    # Ancestors come with a term: the chain is whole.
    assert triplets.filter(relation="is_a").height == 15
    # Diseases with a gene come first, and all facts between chosen concepts are kept.
    assert all(int(cui[1:]) % 2 == 0 for cui in inside if cui[0] == "D")
    assert triplets.filter(relation="gene_of_disease").height == 4


def test_row_order_does_not_matter():
    concepts, triplets = graph()
    shuffled = connected_subgraph(
        concepts.sample(fraction=1, shuffle=True, seed=1).sort("cui"),
        triplets.sample(fraction=1, shuffle=True, seed=2),
        limit=32,
    )
    expected = connected_subgraph(concepts, triplets, limit=32)
    assert shuffled[0].equals(expected[0])
    assert shuffled[1].sort(pl.all()).equals(expected[1].sort(pl.all()))


def test_too_small():
    with pytest.raises(InputError, match="too small"):
        connected_subgraph(*graph(), limit=3)
