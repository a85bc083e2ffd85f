"""All measures of a trained encoder and of the text features beside it: `metrics.json`."""

from typing import Any

import torch
from torch import Tensor

from kg.baselines import cosine_scorer, neighbour_scorer, popularity_scorer
from kg.decoder import ComplEx
from kg.graph import Graph, Split
from kg.link_prediction import ranks_of
from kg.probe import branch_accuracy, choice_accuracy, parent_metrics, top_branches
from kg.ranking import Answers, filtered_ranks, questions_of, rank_metrics

__all__ = ["measure"]


def measure(
    split: Split,
    decoder: ComplEx,
    *,
    encoded: Tensor,
    stored: Tensor,
    text: Tensor,
    generator: torch.Generator,
) -> dict[str, Any]:
    """Link prediction of the encoder and of training-free scorers; probes of the stored vectors.

    Shapes: `encoded` (node, width), the decoder's input; `stored` (node, dim); `text`
    (node, feature).
    """
    known = Answers([split.train, split.validation, split.test])
    questions = questions_of(split.test)
    ranks = {"test": ranks_of(decoder, encoded, split.test, known)}
    scorers = {
        "popularity": popularity_scorer(split.train),
        "text_cosine": cosine_scorer(text),
        "text_neighbours": neighbour_scorer(text, split.train),
    }
    ranks |= {name: filtered_ranks(questions, score, known) for name, score in scorers.items()}
    seed = int(torch.randint(2**31, (), generator=generator))
    return {
        "graph": {
            "nodes": split.train.nodes,
            "relations": len(split.train.relations),
            **{name: len(getattr(split, name)) for name in ("train", "validation", "test")},
        },
        "link_prediction": {
            name: _link_metrics(row, questions, split.test) for name, row in ranks.items()
        },
        "probes": {
            name: _probes(vectors.float(), split, known, seed)
            for name, vectors in {"stored": stored, "text": text}.items()
        },
    }


def _link_metrics(ranks: Tensor, questions: Tensor, graph: Graph) -> dict[str, Any]:
    """Over all questions, by relation (`^-1`: heads asked for), and the mean over relations."""
    names = [*graph.relations, *(f"{name}^-1" for name in graph.relations)]
    by_relation = {
        name: rank_metrics(ranks[questions[:, 1] == code])
        for code, name in enumerate(names)
        if (questions[:, 1] == code).any()
    }
    macro = sum(row["mrr"] for row in by_relation.values()) / max(1, len(by_relation))
    return {**rank_metrics(ranks), "macro_mrr": macro, "by_relation": by_relation}


def _probes(vectors: Tensor, split: Split, known: Answers, seed: int) -> dict[str, Any]:
    """The same random draws for every kind of vectors, so that their probes can be compared."""

    def seeded() -> torch.Generator:
        return torch.Generator().manual_seed(seed)

    return {
        "choice_of_known_facts": choice_accuracy(vectors, split.train, known, seeded()),
        "choice_of_new_facts": choice_accuracy(vectors, split.test, known, seeded()),
        "parent": parent_metrics(vectors, split.test, known),
        "branch": branch_accuracy(vectors, top_branches(split.train), seeded()),
    }
