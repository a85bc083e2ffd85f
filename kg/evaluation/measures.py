"""All measures of an encoder, and of what is had without training, beside it: `metrics.json`."""

import logging
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from kg.evaluation.baselines import cosine_scorer, popularity_scorer, smoothed, translation_scorer
from kg.evaluation.copying import combined_scorer, copy_scorer
from kg.evaluation.probe import (
    choice_accuracy,
    class_accuracy,
    mapped_parent_metrics,
    parent_metrics,
)
from kg.evaluation.ranking import Answers, Scorer, filtered_ranks, questions_of, rank_metrics
from kg.evaluation.relation_probe import relation_accuracy
from kg.graph.hierarchy import top_terms
from kg.graph.projection import Principal
from kg.graph.rows import Matrix, whole
from kg.graph.split import Graph, Split

__all__ = ["measure"]

MOST_ASKED = 25_000
"""Test triplets that are asked for, both ways: the MRR's standard error is .002 then."""

MOST_COPIED = 500_000
"""Nodes; copying compares each with all others, and of more the text is too large to copy."""

log = logging.getLogger(__name__)


@torch.inference_mode()
def measure(
    split: Split,
    score: Scorer,
    *,
    stored: Tensor,
    text: Matrix,
    types: Tensor,
    generator: torch.Generator,
    spectral: int = 0,
) -> dict[str, Any]:
    """Link prediction by `score` and by training-free scorers; probes of the stored vectors.

    Links are also copied from the nodes nearest by the stored vectors (`neighbours`), and both
    ways combined (`combined`), unless the graph is too large to compare all pairs of nodes; then
    what is measured of `text` are its principal components, no wider than `stored`.
    Shapes: `stored` (node, dim); `text` (node, feature); `types` (node,) codes, -1: no type
    or several. Beside both vectors stands `smoothed`: text and its means over neighbours,
    untrained, compressed to the width of `stored`.

    The last `spectral` numbers of a stored vector are an embedding of the links themselves: no map
    from child to parent is fitted on them. In training pairs they are alike because of the very
    link, so the map would rely on what a held-out pair does not have.
    """
    known = Answers([split.train, split.validation, split.test])
    test = _some(split.test, generator)
    asked = replace(split, test=test)
    questions = questions_of(test)
    small = split.train.nodes <= MOST_COPIED
    text = whole(text) if small else _compressed(text, stored.shape[1])
    smooth = _compressed(smoothed(text, split.train), stored.shape[1])
    scorers = _scorers(split, score, known, stored=stored, text=text, smooth=smooth)
    ranks = {name: filtered_ranks(questions, one, known) for name, one in scorers.items()}
    seed = int(torch.randint(2**31, (), generator=generator))
    rows: dict[str, Tensor | None] = {"stored": stored, "text": text, "smoothed": smooth}
    # Of the whole hierarchy: one held-out edge at its top would merge two top terms or lose one.
    classes = {"branch": top_terms(split.whole), "semantic_type": types}
    return {
        "graph": {
            "nodes": split.train.nodes,
            "relations": len(split.train.relations),
            **{name: len(getattr(split, name)) for name in ("train", "validation", "test")},
            "asked": len(test),
        },
        "link_prediction": {
            name: _link_metrics(row, questions, test) for name, row in ranks.items()
        },
        "relation_classification": {
            name: relation_accuracy(vectors, split, _seeded(seed))
            for name, vectors in {**rows, "most_frequent": None}.items()
        },
        "probes": {
            name: _probes(vectors.float(), asked, known, seed, spectral * (name == "stored"))
            | {kind: class_accuracy(vectors, one, _seeded(seed)) for kind, one in classes.items()}
            for name, vectors in rows.items()
            if vectors is not None
        },
    }


def _scorers(
    split: Split, score: Scorer, known: Answers, *, stored: Tensor, text: Tensor, smooth: Tensor
) -> dict[str, Scorer]:
    """`score` and what needs no training; with copying unless the graph is too large for it."""
    scorers = {
        "test": score,
        "popularity": popularity_scorer(split.train),
        "text_cosine": cosine_scorer(text),
        "smoothed": translation_scorer(smooth, split.train),
    }
    if split.train.nodes > MOST_COPIED:
        log.warning(
            "%d nodes: links are not copied from the nearest, and text is compressed to %d numbers",
            split.train.nodes,
            text.shape[1],
        )
        return scorers
    copied = copy_scorer(stored, split.train)
    scorers["neighbours"] = copied
    scorers["combined"] = combined_scorer(score, copied, split.validation, known)
    scorers["text_neighbours"] = copy_scorer(text, split.train)
    return scorers


def _compressed(vectors: Matrix, dim: int) -> Tensor:
    """Principal components, (node, dim), or as many as there are columns."""
    return Principal.of(vectors, min(dim, vectors.shape[1]))(vectors)


def _some(test: Graph, generator: torch.Generator) -> Graph:
    """The test triplets, or a part of them where they are many."""
    if len(test) <= MOST_ASKED:
        return test
    log.info("links are predicted for %d of %d test triplets", MOST_ASKED, len(test))
    return test.part(torch.randperm(len(test), generator=generator)[:MOST_ASKED])


def _link_metrics(ranks: Tensor, questions: Tensor, graph: Graph) -> dict[str, Any]:
    """Over all questions, by relation (`^-1`: heads asked for), and the means over relations."""
    names = [*graph.relations, *(f"{name}^-1" for name in graph.relations)]
    by_relation = {
        name: rank_metrics(ranks[questions[:, 1] == code])
        for code, name in enumerate(names)
        if (questions[:, 1] == code).any()
    }
    overall = rank_metrics(ranks)
    macro = {
        f"macro_{key}": sum(row[key] for row in by_relation.values()) / len(by_relation)
        for key in overall
        if key != "n"
    }
    return {**overall, **macro, "by_relation": by_relation}


def _probes(
    vectors: Tensor, split: Split, known: Answers, seed: int, spectral: int
) -> dict[str, Any]:
    """The same random draws for every kind of vectors, so that their probes can be compared."""
    read = vectors[:, : vectors.shape[1] - spectral]
    return {
        "choice_of_known_facts": choice_accuracy(vectors, split.train, known, _seeded(seed)),
        "choice_of_new_facts": choice_accuracy(vectors, split.test, known, _seeded(seed)),
        "parent": parent_metrics(vectors, split.test, split.whole),
        "parent_by_map": mapped_parent_metrics(read, split.train, split.test, split.whole),
    }


def _seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)
