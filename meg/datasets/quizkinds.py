"""Which facts a quiz asks about: of the HPO four kinds, of another graph those it has enough of.

A kind of question takes one end of a relation's facts: `treats:tail` asks for the tail, "X treats
which of these?", and `treats:head` for the head, "Which of these treats X?". Of a graph those kinds
are taken that most concepts can be asked about; the others are named with the reason.
"""

from typing import Literal

import numpy as np

from kg.shared.errors import InputError
from meg.datasets.quizgraph import Kind, QuizGraph
from meg.datasets.quizwords import made_wording
from meg.datasets.settings import GraphQuizConfig, HPOQuizConfig, QuizKind

__all__ = ["HPO", "graph_kinds", "hpo_kinds"]

HPO: dict[QuizKind, tuple[str, Literal["head", "tail"], tuple[str, str]]] = {
    "is_a": ("is_a", "tail", ("phenotype", "phenotype")),
    "phenotype": ("has_phenotype", "head", ("disease", "phenotype")),
    "disease": ("gene_of_disease", "head", ("gene", "disease")),
    "gene": ("gene_of_disease", "tail", ("disease", "gene")),
}
"""Relation, the end asked about, types of the concept asked about and of the options."""

OTHER: dict[str, Literal["head", "tail"]] = {"tail": "head", "head": "tail"}
"""The end that answers -> the end asked about."""

DIFFERENT = 24
"""Answers a kind needs: three distractors on either side of the right one in each of three cues."""

SAME = 0.5
"""Of a relation's facts so many hold the other way round too: it is symmetric, and asked once."""


def hpo_kinds(config: HPOQuizConfig) -> list[Kind]:
    """Those that have a wording."""
    kinds = [
        Kind(kind, *HPO[kind][:2], text, HPO[kind][2]) for kind, text in config.wording.items()
    ]
    return kinds[::-1]


def graph_kinds(config: GraphQuizConfig, graph: QuizGraph) -> tuple[list[Kind], dict[str, str]]:
    """The kinds that are asked, those of the fewest concepts first; the others with the reason.

    Raises InputError where there is none, or the configuration names one that the graph lacks.
    """
    _check_named(config, graph)
    found: dict[Kind, int] = {}
    reasons: dict[str, str] = {}
    for relation in graph.relations:
        for answering, asked in OTHER.items():
            kind = Kind(
                f"{relation}:{answering}", relation, asked, _wording(config, relation, answering)
            )
            if config.kinds and not {kind.name, relation} & set(config.kinds):
                continue
            subjects, reason = _subjects(config, graph, kind)
            if reason:
                reasons[kind.name] = reason
            else:
                found[kind] = subjects
    best = sorted(found, key=lambda kind: -found[kind])
    kept, rest = best[: config.most_kinds], best[config.most_kinds :]
    for kind in rest:
        reasons[kind.name] = f"most_kinds is {config.most_kinds}, and others have more concepts"
    if not kept:
        told = "; ".join(f"{name} {reason}" for name, reason in list(reasons.items())[:4])
        raise InputError(
            f"no relation of the graph can be asked about ({told or 'it has no fact'}); give a "
            "larger graph, allow longer names (max_characters) or fewer facts (min_facts)"
        )
    return kept[::-1], reasons


def _wording(config: GraphQuizConfig, relation: str, answering: str) -> str:
    given = config.wording.get(relation)
    own = getattr(given, answering) if given else None
    return own or made_wording(relation, answering)


def _check_named(config: GraphQuizConfig, graph: QuizGraph) -> None:
    known = {f"{name}{end}" for name in graph.relations for end in ("", ":head", ":tail")}
    for name in (*config.kinds, *config.wording):
        if name not in known:
            raise InputError(
                f"the graph has no relation {name!r} to be asked about, only "
                f"{', '.join(list(graph.relations)[:20])}; name one of these"
            )


def _subjects(config: GraphQuizConfig, graph: QuizGraph, kind: Kind) -> tuple[int, str]:
    """How many concepts a kind can ask about; why it is not fair, "" where it is."""
    total = graph.relations[kind.relation]
    if total < config.min_facts:
        return 0, f"has {total} facts, {config.min_facts - total} are missing"
    asked, answers = graph.askable(kind)
    if len(asked) < config.min_facts:
        return 0, (
            f"of its {total} facts {len(asked)} can be asked about (both names short, of no other "
            f"concept, and without a common word), {config.min_facts - len(asked)} are missing"
        )
    if kind.asked == "tail" and _is_symmetric(asked, answers):
        return 0, f"says the same as {kind.relation}:tail"
    different, subjects = len(np.unique(answers)), len(np.unique(asked))
    if different < DIFFERENT:
        return 0, f"has {different} different answers, {DIFFERENT - different} are missing"
    if subjects < DIFFERENT:
        return 0, f"asks about {subjects} concepts, {DIFFERENT - subjects} are missing"
    return subjects, ""


def _is_symmetric(one: np.ndarray, two: np.ndarray) -> bool:
    facts = set(zip(one.tolist(), two.tolist(), strict=True))
    return sum((b, a) in facts for a, b in facts) > SAME * len(facts)
