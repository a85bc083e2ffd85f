"""A small graph of findings and diseases, as kg.hpo writes one, and patients of some of them."""

from pathlib import Path

import numpy as np
import polars as pl

from kg.graph.annotations import ANNOTATIONS, IDS, AnnotatedGraph
from kg.graph.tables import CONCEPTS, TRIPLETS, normalise_concepts, normalise_triplets
from kg.store import EmbeddingStore, write_store
from tests.kg.sources.phenopackets import packet

__all__ = [
    "DISEASES",
    "TESTED",
    "annotated_graph",
    "patient_packets",
    "patient_store",
    "write_annotated",
]

FINDINGS, DISEASES, TESTED = 60, 60, 20
"""The first `TESTED` diseases have patients."""


def annotated_graph() -> AnnotatedGraph:
    """A tree of findings; each disease has eight of them, said by a paper of its own."""
    rng = np.random.default_rng(7)
    rows = [(f"HP:{i:02}", f"finding {i}", [], ["phenotype"], None) for i in range(FINDINGS)]
    rows += [
        (f"OMIM:{i:02}", f"disease {'x' * (i % 9)}{i}", [], ["disease"], None)
        for i in range(DISEASES)
    ]
    concepts = normalise_concepts(pl.DataFrame(rows, schema=CONCEPTS, orient="row"))
    facts = [(f"HP:{i:02}", "is_a", f"HP:{(i - 1) // 3:02}", "test") for i in range(1, FINDINGS)]
    said = []
    for i in range(DISEASES):
        for finding in rng.choice(np.arange(1, FINDINGS), size=8, replace=False).tolist():
            facts.append((f"OMIM:{i:02}", "has_phenotype", f"HP:{finding:02}", "test"))
            said.append((f"OMIM:{i:02}", f"HP:{finding:02}", 0.5, f"PMID:{i}"))
    triplets = pl.DataFrame(facts, schema=TRIPLETS, orient="row")
    return AnnotatedGraph(
        concepts,
        normalise_triplets(triplets, concepts),
        pl.DataFrame(said, schema=ANNOTATIONS, orient="row"),
        pl.DataFrame(
            # The last finding had another id once.
            [(f"HP:{i:02}", f"HP:{i:02}") for i in range(FINDINGS)] + [("HP:old", "HP:59")],
            schema=IDS,
            orient="row",
        ),
    )


def patient_packets(graph: AnnotatedGraph) -> list[dict]:
    """Of each tested disease three: two of papers of their own, one of the graph's paper."""
    packets = []
    for i in range(TESTED):
        own = graph.annotations.filter(disease=f"OMIM:{i:02}")["finding"].to_list()
        for number, paper in enumerate((f"PMID:new{i}", f"PMID:new{i}", f"PMID:{i}")):
            found = tuple(own[number : number + 5])
            packets.append(
                packet(f"{i:02}-{number}", f"OMIM:{i:02}", found, ("HP:00",), paper, sex="FEMALE")
            )
    return packets


def write_annotated(folder: Path, graph: AnnotatedGraph) -> Path:
    """The graph's folder."""
    folder.mkdir(parents=True)
    graph.concepts.write_parquet(folder / "concepts.parquet")
    graph.triplets.write_parquet(folder / "triplets.parquet")
    graph.write_annotations(folder)
    return folder


def patient_store(path: Path, graph: AnnotatedGraph) -> EmbeddingStore:
    """Random vectors of its concepts, those of a disease in the middle of its findings'."""
    rng = np.random.default_rng(3)
    place = {cui: i for i, cui in enumerate(graph.concepts["cui"])}
    vectors = rng.normal(size=(len(place), 8)).astype(np.float32)
    for disease, finding in graph.annotations.select("disease", "finding").iter_rows():
        vectors[place[disease]] += vectors[place[finding]]
    path.parent.mkdir(parents=True, exist_ok=True)
    write_store(path, graph.concepts["cui"], vectors, {}, {})
    return EmbeddingStore(path)
