"""A multiple-choice quiz from the graph, which names and popularity alone do not answer.

A question asks for the other end of a fact (`quizkinds`: which facts, in what words). Its
distractors have the type of the answer, are not true, share no word with the question and are drawn
by how often the relation's facts name them, so that no cue of an option gives the answer away
(`quizdraw`). Concepts asked about in dev or test occur nowhere in the training questions.
"""

import logging
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize

from kg.shared.errors import InputError
from kg.sources.phenopackets import read_phenopackets
from meg.datasets.quizdraw import Account, Maker, Similarity, place
from meg.datasets.quizgraph import Kind, QuizGraph
from meg.datasets.quizkinds import graph_kinds, hpo_kinds
from meg.datasets.settings import GraphQuizConfig, HPOQuizConfig
from meg.datasets.shortcuts import CUES, Choice, prior, shortcuts
from meg.datasets.splits import Splits

__all__ = ["build"]

log = logging.getLogger(__name__)

SHARES = {"test": 0.25, "dev": 0.05, "train": 0.7}
"""Of the concepts of a graph these shares may be asked about in each split: a small one must have
enough left to learn from."""

Drawn = dict[str, list[Choice]]
"""Questions by split."""


def build(
    config: HPOQuizConfig | GraphQuizConfig,
    concepts: pl.DataFrame,
    triplets: pl.DataFrame,
    features: np.ndarray | None = None,
) -> Splits:
    """The quiz; nearness of names is the cosine of `features` (N, D), else of character 3-grams.

    Raises InputError when the graph is too small for the sizes asked for.
    """
    rng = np.random.default_rng(config.seed)
    graph = QuizGraph(concepts, triplets, config.max_characters, config.common)
    facts: dict[str, Any] = {}
    if isinstance(config, HPOQuizConfig):
        kinds = hpo_kinds(config)
        if config.without is not None:
            graph.forget({patient.disease for patient in read_phenopackets(config.without)[0]})
    else:
        kinds, facts["not_asked"] = graph_kinds(config, graph)
    similarity = _similarity(graph.names, features)
    if isinstance(config, GraphQuizConfig):
        choices = _drawn_of_parts(config, graph, kinds, similarity, rng)
    else:
        choices = _drawn(config, graph, kinds, similarity, rng)
    splits = Splits(facts=facts | _facts(choices))
    wording = {kind.name: kind.wording for kind in kinds}
    for split, chosen in choices.items():
        for choice in chosen:
            splits.add(
                split,
                f"{config.source}-{choice.kind}-{graph.cuis[choice.subject]}",
                stem=wording[choice.kind].format(name=graph.names[choice.subject]),
                options=[graph.names[i] for i in choice.options],
                answer=choice.answer,
                kind=choice.kind,
            )
    return splits


def _drawn(
    config: HPOQuizConfig | GraphQuizConfig,
    graph: QuizGraph,
    kinds: list[Kind],
    similarity: Similarity,
    rng: np.random.Generator,
) -> Drawn:
    """Each concept in one question: what dev and test ask about, training has not."""
    held: set[int] = set()
    choices: Drawn = {}
    for split in ("test", "dev", "train"):
        size = getattr(config, split)
        drawn: list[Choice] = []
        avoid = held if split == "train" else set()
        for kind, share in _shares(size, kinds, drawn):
            used = held | {choice.subject for choice in drawn}
            maker = Maker(graph, kind, similarity, avoid, rng)
            drawn += place(maker.choices(share, used, split), rng)
        held |= {choice.subject for choice in drawn}
        choices[split] = _mixed(split, size, drawn, kinds, rng)
    return choices


def _drawn_of_parts(
    config: GraphQuizConfig,
    graph: QuizGraph,
    kinds: list[Kind],
    similarity: Similarity,
    rng: np.random.Generator,
) -> Drawn:
    """Each concept in one split, there in a question of every kind; all rules kept at chance."""
    parts = _parts(len(graph.names), rng)
    choices: Drawn = {}
    for split in ("train", "dev", "test"):
        size = getattr(config, split)
        drawn: list[Choice] = []
        others = set(range(len(graph.names))) - parts[split]
        avoid = others if split == "train" else set()
        account = Account(prior(choices.get("train", [])))
        for kind, share in _shares(size, kinds, drawn):
            maker = Maker(graph, kind, similarity, avoid, rng, account)
            drawn += place(maker.choices(share, others, split), rng)
        choices[split] = _mixed(split, size, drawn, kinds, rng)
    return choices


def _parts(nodes: int, rng: np.random.Generator) -> dict[str, set[int]]:
    """The concepts that each split may ask about."""
    order = rng.permutation(nodes)
    ends = np.cumsum([int(nodes * share) for share in SHARES.values()])[:-1]
    parts = np.split(order, ends)
    return {split: set(part.tolist()) for split, part in zip(SHARES, parts, strict=True)}


def _shares(size: int, kinds: list[Kind], drawn: list[Choice]) -> Iterator[tuple[Kind, int]]:
    """Equal shares; what a kind has not, as `drawn` grows, is asked of the later ones."""
    for number, kind in enumerate(kinds):
        yield kind, (size - len(drawn)) // (len(kinds) - number)


def _mixed(
    split: str, size: int, drawn: list[Choice], kinds: list[Kind], rng: np.random.Generator
) -> list[Choice]:
    """The questions in a random order; raises InputError where they are too few."""
    if len(drawn) < size:
        raise InputError(_too_small(split, size, drawn, kinds))
    return [drawn[i] for i in rng.permutation(len(drawn))]


def _too_small(split: str, size: int, drawn: list[Choice], kinds: list[Kind]) -> str:
    found = Counter(choice.kind for choice in drawn)
    of_each = ", ".join(f"{kind.name}: {found[kind.name]}" for kind in kinds)
    return (
        f"the graph gives only {len(drawn)} of {size} {split} questions ({of_each}): "
        f"{size - len(drawn)} facts are missing, of concepts that no other split and no other "
        "question of their kind asks about; ask for fewer, allow longer names or use a larger graph"
    )


def _similarity(names: list[str], features: np.ndarray | None) -> Similarity:
    if features is not None:
        rows = normalize(np.asarray(features, dtype=np.float32))
        return lambda subject, nodes: rows[nodes] @ rows[subject]
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3)).fit_transform(names)
    return lambda subject, nodes: (grams[nodes] @ grams[subject].T).toarray()[:, 0]


def _facts(choices: Drawn) -> dict[str, Any]:
    """What the summary says of the draw: how many cues were balanced, what shortcuts are worth."""
    balanced = {
        split: dict(sorted(Counter(choice.balanced for choice in chosen).items()))
        for split, chosen in choices.items()
    }
    return {
        "cues": CUES,
        "balanced_cues": balanced,
        "shortcuts": shortcuts(choices["train"], choices["test"]),
    }
