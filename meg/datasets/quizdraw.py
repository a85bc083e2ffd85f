"""Draws the questions of a quiz: a fact's other end, and distractors that give nothing away.

Three cues could give the right option away: how near an option's name is to the question's, how
popular the option is, how long its name is. For each cue the right option's rank among the four is
drawn uniformly and the distractors are picked to fit, as near to the right option as the graph
allows: following any one cue, upwards or downwards, is right in a quarter of the cases.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
from tqdm import tqdm

from kg.graph.tables import PARENT_RELATIONS
from meg.datasets.quizgraph import Kind, QuizGraph
from meg.datasets.shortcuts import CUES, RULES, Choice, rule_credits

__all__ = ["Account", "Maker", "Similarity", "place"]

Similarity = Callable[[int, np.ndarray], np.ndarray]
"""(subject, nodes) -> how near their names are to the subject's, (node,) float."""

OPTIONS = 4
POOL = 4096
"""Facts drawn per question; their answers are the candidates for distractors."""

NEAREST = 8
"""Among so many best-fitting candidates the one is taken that was right too often so far."""

SPREAD = 0.5
"""How far the options of a question are apart, in standard deviations of the candidates' cues."""


TRIED = 16
"""Choices of distractors among which an account takes one."""


class Account:
    """What the rules of `shortcuts` have got beyond chance, of all kinds and of each."""

    def __init__(self, before: Counter[int]) -> None:
        self.before = before
        self.beyond: defaultdict[str, np.ndarray] = defaultdict(lambda: np.zeros(len(RULES)))

    def best(self, choices: list[Choice]) -> Choice:
        """The choice, all of one kind, that leaves the least; it is entered."""
        kinds = ("all", choices[0].kind)
        credits = np.array([rule_credits(one, self.before) - 1 / OPTIONS for one in choices])
        left = sum(np.square(self.beyond[kind] + credits).sum(axis=1) for kind in kinds)
        chosen = int(np.argmin(left))
        for kind in kinds:
            self.beyond[kind] += credits[chosen]
        return choices[chosen]


class Maker:
    """Draws the questions of one kind; `avoid` are nodes that must not be options."""

    def __init__(
        self,
        graph: QuizGraph,
        kind: Kind,
        similarity: Similarity,
        avoid: set[int],
        rng: np.random.Generator,
        account: Account | None = None,
    ) -> None:
        self.graph, self.kind = graph, kind
        self.similarity, self.rng, self.account = similarity, rng, account
        asked, answers = graph.facts(self.kind)
        self.answers: dict[int, set[int]] = {}
        for one, two in zip(asked.tolist(), answers.tolist(), strict=True):
            self.answers.setdefault(one, set()).add(two)
        # Only what can be right is offered, as often as it is: else the options give it away.
        asked, answers = graph.askable(kind)
        usable = ~np.isin(answers, list(avoid))
        self.pool = answers[usable]
        weights = 1 / np.bincount(asked[usable])[asked[usable]]
        self.weights = weights / weights.sum()
        self.usable = set(self.pool.tolist())
        self.balance = np.zeros(len(graph.names), dtype=int)
        self.subjects = sorted(i for i in self.answers if graph.nameable[i])

    def choices(self, size: int, used: set[int], split: str) -> list[Choice]:
        """At most `size` questions about subjects not in `used`, all cues balanced if possible."""
        found: list[Choice] = []
        every_rank = np.tile(np.arange(size) % OPTIONS, (len(CUES), 1))
        ranks = self.rng.permuted(every_rank, axis=1).T
        waiting = [i for i in self.rng.permutation(self.subjects).tolist() if i not in used]
        with tqdm(total=size, desc=f"{split} {self.kind.name}", disable=None, leave=False) as bar:
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
        return found

    def _choice(self, subject: int, ranks: np.ndarray, balanced: int) -> Choice | None:
        """A question whose first `balanced` cues are balanced; None if the graph has none."""
        alike = self.graph.similar_in_words(subject)
        answers = self.answers[subject]
        right = self.rng.permutation(sorted((answers & self.usable) - alike)).astype(int)
        if not len(right):
            return None
        drawn = np.unique(self.rng.choice(self.pool, size=POOL, p=self.weights))
        drawn = drawn[~np.isin(drawn, list(alike | self._true(subject)))]
        found: list[Choice] = []
        for answer in right[np.argsort(self.balance[right], kind="stable")].tolist():
            nodes = np.concatenate([[answer], drawn[self.graph.alike(answer, drawn)]])
            cues = self._cues(subject, nodes)
            for wanted in self._wanted(ranks):
                chosen = _fitting(cues, self.balance[nodes], wanted, balanced, self.rng)
                if chosen is None:
                    break
                rows = [0, *chosen]
                options = tuple(nodes[rows].tolist())
                found.append(Choice(self.kind.name, subject, options, 0, cues[rows], balanced))
            if found:
                break
        return self._taken(found) if found else None

    def _wanted(self, ranks: np.ndarray) -> Iterator[np.ndarray]:
        """The right option's ranks to be tried."""
        yield ranks
        if self.account is not None:
            yield from self.rng.integers(OPTIONS, size=(TRIED - 1, len(CUES)))

    def _taken(self, found: list[Choice]) -> Choice:
        """Of several choices the one that the rules' account wants."""
        choice = found[0] if self.account is None else self.account.best(found)
        options = list(choice.options)
        self.balance[options[choice.answer]] += OPTIONS
        self.balance[options] -= 1
        return choice

    def _true(self, subject: int) -> set[int]:
        """Nodes that must not be distractors: what is true, and what is_a makes true or unsure."""
        relatives = self.graph.relatives(subject)
        true = {subject} | relatives | self.graph.beside(subject)
        if self.kind.relation not in PARENT_RELATIONS:
            own = self.answers[subject]
            true |= own.union(*(self.graph.relatives(one) for one in own))
            true.update(*(self.answers.get(one, ()) for one in relatives))
        return true

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


def place(choices: list[Choice], rng: np.random.Generator) -> list[Choice]:
    """The same questions with the right option in every position equally often."""
    positions = rng.permutation(np.arange(len(choices)) % OPTIONS)
    placed = []
    for choice, position in zip(choices, positions.tolist(), strict=True):
        order = np.insert(1 + rng.permutation(OPTIONS - 1), position, 0)
        options = tuple(choice.options[i] for i in order)
        placed.append(replace(choice, options=options, answer=position, cues=choice.cues[order]))
    return placed
