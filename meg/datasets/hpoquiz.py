"""A multiple-choice quiz from the graph, which names and popularity alone do not answer.

A question asks for the other end of a fact (`quizgraph.KINDS`). Its distractors have the right
type, are not true, share no word with the question and are drawn by how often the relation's
facts name them. Three cues could still give the answer away: how near an option's name is to the
question's, how popular the option is, how long its name is. For each cue the right option's rank
among the four is drawn uniformly and the distractors are picked to fit, as near to the right
option as the graph allows: following any one cue, upwards or downwards, is right in a quarter of
the cases. Concepts asked about in dev or test occur nowhere in the training questions.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import polars as pl
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from tqdm import tqdm

from kg.shared.errors import InputError
from kg.sources.phenopackets import read_phenopackets
from meg.config import HPOQuizConfig, QuizKind
from meg.datasets.quizgraph import KINDS, QuizGraph
from meg.datasets.shortcuts import CUES, Choice, shortcuts
from meg.datasets.splits import Splits

__all__ = ["build"]

OPTIONS = 4
POOL = 4096
"""Facts drawn per question; their answers are the candidates for distractors."""

NEAREST = 8
"""Among so many best-fitting candidates the one is taken that was right too often so far."""

SPREAD = 0.5
"""How far the options of a question are apart, in standard deviations of the candidates' cues."""


def build(
    config: HPOQuizConfig,
    concepts: pl.DataFrame,
    triplets: pl.DataFrame,
    features: np.ndarray | None = None,
) -> Splits:
    """The quiz; nearness of names is the cosine of `features` (N, D), else of character 3-grams.

    Raises InputError when the graph is too small for the sizes asked for.
    """
    rng = np.random.default_rng(config.seed)
    graph = QuizGraph(concepts, triplets, config.max_characters)
    if config.without is not None:
        graph.forget({patient.disease for patient in read_phenopackets(config.without)[0]})
    similarity = _similarity(graph.names, features)
    held: set[int] = set()
    choices: dict[str, list[Choice]] = {}
    for split in ("test", "dev", "train"):
        drawn: list[Choice] = []
        sizes = _shares(getattr(config, split), list(config.wording))
        for kind, size in sizes.items():
            used = held | {choice.subject for choice in drawn}
            avoid = held if split == "train" else set()
            maker = _Maker(graph, kind, similarity, avoid, rng)
            drawn += _place(maker.choices(size, used, split), rng)
        held |= {choice.subject for choice in drawn}
        choices[split] = [drawn[i] for i in rng.permutation(len(drawn))]
    splits = Splits(facts=_facts(choices))
    for split, chosen in choices.items():
        for choice in chosen:
            stem = config.wording[choice.kind].format(name=graph.names[choice.subject])
            splits.add(
                split,
                f"hpoquiz-{choice.kind}-{graph.cuis[choice.subject]}",
                stem=stem,
                options=[graph.names[i] for i in choice.options],
                answer=choice.answer,
                kind=choice.kind,
            )
    return splits


class _Maker:
    """Draws the questions of one kind."""

    def __init__(
        self,
        graph: QuizGraph,
        kind: QuizKind,
        similarity: Callable[[int, np.ndarray], np.ndarray],
        avoid: set[int],
        rng: np.random.Generator,
    ) -> None:
        self.graph, self.name, self.kind = graph, kind, KINDS[kind]
        self.similarity, self.rng = similarity, rng
        asked, answers = graph.facts(self.kind)
        self.answers: dict[int, set[int]] = {}
        for one, two in zip(asked.tolist(), answers.tolist(), strict=True):
            self.answers.setdefault(one, set()).add(two)
        # Only what can be right is offered, as often as it is: else the options give it away.
        usable = graph.nameable[asked] & graph.nameable[answers] & ~np.isin(answers, list(avoid))
        usable &= graph.distinct(asked, answers)
        self.pool = answers[usable]
        weights = 1 / np.bincount(asked[usable])[asked[usable]]
        self.weights = weights / weights.sum()
        self.usable = set(self.pool.tolist())
        self.balance = np.zeros(len(graph.names), dtype=int)
        self.subjects = sorted(i for i in self.answers if graph.nameable[i])

    def choices(self, size: int, used: set[int], split: str) -> list[Choice]:
        """`size` questions about subjects not in `used`, all cues balanced as far as possible."""
        found: list[Choice] = []
        every_rank = np.tile(np.arange(size) % OPTIONS, (len(CUES), 1))
        ranks = self.rng.permuted(every_rank, axis=1).T
        waiting = [i for i in self.rng.permutation(self.subjects).tolist() if i not in used]
        with tqdm(total=size, desc=f"{split} {self.name}", disable=None, leave=False) as bar:
            for balanced in range(len(CUES), -1, -1):
                missed = []
                for subject in waiting:
                    if len(found) == size:
                        return found
                    choice = self._choice(subject, ranks[len(found)], balanced)
                    if choice is None:
                        missed.append(subject)
                    else:
                        found.append(choice)
                        bar.update()
                waiting = missed
        if len(found) < size:
            raise InputError(
                f"the graph gives only {len(found)} of {size} {split} questions of kind "
                f"{self.name}; ask for fewer, allow longer names or use a larger graph"
            )
        return found

    def _choice(self, subject: int, ranks: np.ndarray, balanced: int) -> Choice | None:
        """A question whose first `balanced` cues are balanced; None if the graph has none."""
        alike = self.graph.similar_in_words(subject)
        answers = self.answers[subject]
        right = self.rng.permutation(sorted((answers & self.usable) - alike)).astype(int)
        if not len(right):
            return None
        drawn = np.unique(self.rng.choice(self.pool, size=POOL, p=self.weights))
        wrong = alike | self.graph.true_of(subject, self.kind, answers)
        drawn = drawn[~np.isin(drawn, list(wrong))]
        for answer in right[np.argsort(self.balance[right], kind="stable")].tolist():
            nodes = np.concatenate([[answer], drawn])
            cues = self._cues(subject, nodes)
            chosen = _fitting(cues, self.balance[nodes], ranks, balanced, self.rng)
            if chosen is not None:
                options = nodes[[0, *chosen]]
                cues = cues[[0, *chosen]]
                self.balance[options[0]] += OPTIONS
                self.balance[options] -= 1
                return Choice(self.name, subject, tuple(options.tolist()), 0, cues, balanced)
        return None

    def _cues(self, subject: int, nodes: np.ndarray) -> np.ndarray:
        degree = np.log(self.graph.degree[nodes])
        lengths = self.graph.lengths[nodes]
        return np.column_stack([self.similarity(subject, nodes), degree, lengths])


def _fitting(
    cues: np.ndarray,
    balance: np.ndarray,
    ranks: np.ndarray,
    balanced: int,
    rng: np.random.Generator,
) -> list[int] | None:
    """Rows of three distractors for the right option in row 0 of `cues` (candidate, cue).

    None unless every combination of higher and lower has candidates enough: else the right
    option's rank would not be uniform among the questions that are kept.
    """
    scaled = (cues - cues[0]) / (cues.std(axis=0) + 1e-9)
    ties = rng.uniform(-1e-6, 1e-6, scaled.shape)
    side = _side((scaled + ties)[:, :balanced])
    side[0] = -1
    needed = OPTIONS - 1
    if (np.bincount(side[1:], minlength=1 << balanced) < needed).any():
        return None
    # The options' cues are a cloud of independent points, the right option's the rank-th of it.
    cloud = np.sort(rng.normal(scale=SPREAD, size=(len(ranks), OPTIONS)))
    own = np.arange(OPTIONS) == ranks[:, None]
    others = rng.permuted(cloud[~own].reshape(-1, needed), axis=1)
    targets = (others - cloud[own][:, None]).T
    chosen: list[int] = []
    for target, wanted in zip(targets, _side(targets[:, :balanced]), strict=True):
        rows = np.setdiff1d(np.flatnonzero(side == wanted), chosen)
        distance = np.square(scaled[rows] - target).sum(axis=1)
        near = rows[np.argsort(distance, kind="stable")[:NEAREST]]
        chosen.append(int(near[balance[near].argmax()]))
    return chosen


def _side(offsets: np.ndarray) -> np.ndarray:
    """One number for the signs of each row of (candidate, cue)."""
    return (offsets > 0) @ (1 << np.arange(offsets.shape[1]))


def _place(choices: list[Choice], rng: np.random.Generator) -> list[Choice]:
    """The same questions with the right option in every position equally often."""
    positions = rng.permutation(np.arange(len(choices)) % OPTIONS)
    placed = []
    for choice, position in zip(choices, positions.tolist(), strict=True):
        order = np.insert(1 + rng.permutation(OPTIONS - 1), position, 0)
        options = tuple(choice.options[i] for i in order)
        placed.append(replace(choice, options=options, answer=position, cues=choice.cues[order]))
    return placed


def _shares(total: int, kinds: list[QuizKind]) -> dict[QuizKind, int]:
    """`total` in parts that differ by one at most."""
    return {kind: (total + i) // len(kinds) for i, kind in enumerate(reversed(kinds))}


def _similarity(
    names: list[str], features: np.ndarray | None
) -> Callable[[int, np.ndarray], np.ndarray]:
    """(subject, nodes) -> the cosine of their names, (node,) float."""
    if features is not None:
        rows = normalize(np.asarray(features, dtype=np.float32))
        return lambda subject, nodes: rows[nodes] @ rows[subject]
    grams = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 3)).fit_transform(names)
    return lambda subject, nodes: (grams[nodes] @ grams[subject].T).toarray()[:, 0]


def _facts(choices: dict[str, list[Choice]]) -> dict[str, Any]:
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
