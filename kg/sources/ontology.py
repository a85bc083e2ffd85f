"""Ontologies to the two tables: terms, is_a and relationships between them."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from kg.graph.tables import CONCEPTS, TRIPLETS
from kg.sources.concepts import concept_table
from kg.sources.facts import between_concepts
from kg.sources.obo import Ontology, Term, read_obo, term_keys
from kg.sources.settings import OBOConfig
from kg.sources.summary import Summary, file_rows
from kg.sources.tabular import find_tables

__all__ = ["read_ontologies"]

NEXT_STEP = "name the ontology's file in kg.obo.files (docs/how-to/graphs-in.md)"


def read_ontologies(
    folder: Path, config: OBOConfig
) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Summary]]:
    """Concepts, triplets and what became of the terms and of their relations.

    A term that several files have is one concept.
    """
    paths = find_tables(folder, config.files, NEXT_STEP)
    read = [read_obo(path) for path in paths]
    terms = [term for ontology in read for term in ontology.terms]
    kept, dropped = _chosen(terms, config)
    keys = term_keys(kept, config.umls)
    rows = [_concept(term, keys) for term in kept]
    concepts, files = concept_table(pl.DataFrame(rows, CONCEPTS, orient="row"))
    facts = [row for ontology in read for row in _facts(ontology, keys)]
    triplets, links = between_concepts(pl.DataFrame(facts, TRIPLETS, orient="row"), concepts)
    names = ", ".join(path.name for path in paths)
    return (
        concepts,
        triplets,
        {
            names: file_rows(len(terms), dropped | files["dropped"], concepts.height),
            "is_a and relationships": links,
        },
    )


def _chosen(terms: list[Term], config: OBOConfig) -> tuple[list[Term], dict[str, int]]:
    """The terms to be concepts; the others are counted."""
    kept, dropped = [], Counter[str]()
    for term in terms:
        if term.obsolete:
            dropped["obsolete"] += 1
        elif not term.name:
            dropped["no name"] += 1
        elif config.prefixes and _prefix(term.id) not in config.prefixes:
            dropped["other prefix"] += 1
        else:
            kept.append(term)
    return kept, dict(dropped)


def _concept(term: Term, keys: dict[str, str]) -> tuple[Any, ...]:
    """A row of concepts; of the synonyms only the exact ones, the others name something else."""
    exact = [text for text, scope in term.synonyms if scope == "EXACT"]
    kind = term.namespace or _prefix(term.id)
    return keys[term.id], term.name, exact, [kind] if kind else [], term.definition


def _facts(ontology: Ontology, keys: dict[str, str]) -> Iterator[tuple[str, str, str, str]]:
    """The is_a and relationships of the file's terms, ids replaced by keys."""
    for term in ontology.terms:
        if term.obsolete:
            continue
        links = [("is_a", parent) for parent in term.parents]
        links += [(_relation(id, ontology), other) for id, other in term.relations]
        for relation, other in links:
            yield keys.get(term.id, term.id), relation, keys.get(other, other), ontology.name


def _relation(id: str, ontology: Ontology) -> str:
    """A relation by its id (part_of), or where that is one of another file (RO:1) by its name."""
    name = ontology.relations.get(id)
    return name.replace(" ", "_") if name and ":" in id else id


def _prefix(id: str) -> str:
    return id.partition(":")[0] if ":" in id else ""
