"""The graph as a quiz sees it: which concepts can be named, which facts asked, what is also true.

A concept can be named when its name is short and no other concept has it as name or synonym: a
question about an ambiguous name has no answer. What follows from the graph's facts along is_a is
true as well, so a distractor is never a fact's ancestor or descendant.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import polars as pl

from kg.graph.tables import PARENT_RELATIONS

__all__ = ["Kind", "QuizGraph"]

WORD = re.compile(r"[^\W_]{3,}")
PREFIX = 5
"""Words that agree in so many letters count as the same: cardiac, cardiomyopathy."""

FUNCTION_WORDS = frozenset({"and", "due", "for", "from", "into", "the", "with", "without"})


@dataclass(frozen=True)
class Kind:
    """A kind of question: one end of a relation's facts is asked about, the other answers."""

    name: str
    relation: str
    asked: Literal["head", "tail"]
    wording: str
    """The question, with {name} for the concept asked about."""
    types: tuple[str, str] | None = None
    """Semantic types of the concept asked about and of the options; None: any."""


class QuizGraph:
    """Nodes are rows of `concepts`.

    Attributes: `cuis`, `names`, their `lengths` (N,); `nameable` (N,) bool; `degree` (N,) over
    all relations; `relations`, name -> facts, largest first; `sharing`, word -> nodes whose name
    has it, but for words that a larger share of the names than `common` has (syndrome, type).
    """

    def __init__(
        self,
        concepts: pl.DataFrame,
        triplets: pl.DataFrame,
        max_characters: int,
        common: float = 1,
    ) -> None:
        self.cuis = concepts["cui"].to_list()
        self.names = concepts["name"].to_list()
        self.lengths = np.array([len(name) for name in self.names])
        types = [frozenset(types) for types in concepts["semantic_types"]]
        self.types = list(dict.fromkeys(types))
        number = {one: i for i, one in enumerate(self.types)}
        self.type = np.array([number[one] for one in types], dtype=int)
        node = pl.DataFrame({"cui": self.cuis, "node": np.arange(len(self.cuis))})
        self._triplets = triplets.select(
            "relation",
            *(
                triplets.select(pl.col(end).alias("cui"))
                .join(node, on="cui", how="left", maintain_order="left")["node"]
                .alias(end)
                for end in ("head", "tail")
            ),
        )
        counts = self._triplets["relation"].value_counts()
        self.relations = dict(counts.sort("count", "relation", descending=[True, False]).rows())
        heads, tails = self._triplets["head"].to_numpy(), self._triplets["tail"].to_numpy()
        ends = np.concatenate([heads, tails])
        self.degree = np.bincount(ends, minlength=len(self.cuis))
        self._others = np.concatenate([tails, heads])[np.argsort(ends, kind="stable")]
        self._ends = np.cumsum(self.degree)
        self.nameable = _nameable(concepts, max_characters)
        self.words = _without_common([content_words(name) for name in self.names], common)
        self.sharing: dict[str, set[int]] = defaultdict(set)
        for i, words in enumerate(self.words):
            for word in words:
                self.sharing[word].add(i)
        self._up, self._down = self._hierarchy("head", "tail"), self._hierarchy("tail", "head")
        self.above = cache(lambda i: _reached(i, self._up))
        self.below = cache(lambda i: _reached(i, self._down))

    def forget(self, cuis: set[str]) -> None:
        """Name none of these concepts, nor one of another catalogue that has the same name."""
        names = {
            name.lower() for cui, name in zip(self.cuis, self.names, strict=True) if cui in cuis
        }
        named = [
            cui in cuis or name.lower() in names
            for cui, name in zip(self.cuis, self.names, strict=True)
        ]
        self.nameable &= ~np.array(named, dtype=bool)

    def facts(self, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
        """Nodes asked about and nodes that answer, one entry a fact, of the kind's types."""
        rows = self._triplets.filter(pl.col("relation") == kind.relation)
        if kind.relation in PARENT_RELATIONS:
            steps = rows.join(rows, left_on="tail", right_on="head", suffix="_above")
            further = steps.select("relation", "head", pl.col("tail_above").alias("tail"))
            rows = pl.concat([rows, further]).unique(maintain_order=True)
        ends = ("head", "tail") if kind.asked == "head" else ("tail", "head")
        asked, answers = (rows[end].to_numpy() for end in ends)
        if kind.types is None:
            return asked, answers
        kept = np.ones(len(asked), dtype=bool)
        for nodes, wanted in zip((asked, answers), kind.types, strict=True):
            kept &= np.array([wanted in one for one in self.types], dtype=bool)[self.type[nodes]]
        return asked[kept], answers[kept]

    def askable(self, kind: Kind) -> tuple[np.ndarray, np.ndarray]:
        """The facts of `facts` whose ends can be named, without a content word in common."""
        asked, answers = self.facts(kind)
        named = self.nameable[asked] & self.nameable[answers]
        asked, answers = asked[named], answers[named]
        distinct = self.distinct(asked, answers)
        return asked[distinct], answers[distinct]

    def alike(self, node: int, others: np.ndarray) -> np.ndarray:
        """Which of the others have a semantic type of the node, or like it none."""
        own = self.types[self.type[node]]
        same = np.array([one == own or not own.isdisjoint(one) for one in self.types])
        return same[self.type[others]]

    def beside(self, node: int) -> set[int]:
        """Nodes that any fact links with this one, in any direction."""
        end = self._ends[node]
        return set(self._others[end - self.degree[node] : end].tolist())

    def relatives(self, node: int) -> frozenset[int]:
        """Its ancestors and descendants."""
        return self.above(node) | self.below(node)

    def distinct(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """Whether the names of two nodes share no content word, elementwise."""
        pairs = zip(one.tolist(), two.tolist(), strict=True)
        return np.array([self.words[i].isdisjoint(self.words[j]) for i, j in pairs], dtype=bool)

    def similar_in_words(self, subject: int) -> set[int]:
        """Nodes whose names share a content word with the subject's."""
        return set().union(*(self.sharing[word] for word in self.words[subject]))

    def _hierarchy(self, one: str, other: str) -> dict[int, list[int]]:
        found: dict[int, list[int]] = defaultdict(list)
        rows = self._triplets.filter(pl.col("relation").is_in(PARENT_RELATIONS))
        for start, end in rows.select(one, other).iter_rows():
            found[start].append(end)
        return found


def content_words(name: str) -> frozenset[str]:
    """First letters of the words that carry meaning, in lower case."""
    words = set(WORD.findall(name.lower())) - FUNCTION_WORDS
    return frozenset(word[:PREFIX] for word in words)


def _without_common(words: list[frozenset[str]], share: float) -> list[frozenset[str]]:
    counts = Counter(word for own in words for word in own)
    common = {word for word, count in counts.items() if count > share * len(words)}
    return [own - common for own in words] if common else words


def _nameable(concepts: pl.DataFrame, max_characters: int) -> np.ndarray:
    texts = concepts.select(
        pl.concat_list(pl.col("name"), pl.col("synonyms"))
        .list.eval(pl.element().str.to_lowercase())
        .list.unique()
    ).to_series()
    owners = Counter(text for own in texts for text in own)
    return np.array(
        [len(name) <= max_characters and owners[name.lower()] == 1 for name in concepts["name"]]
    )


def _reached(start: int, edges: dict[int, list[int]]) -> frozenset[int]:
    """Nodes reached from `start`, itself left out unless the graph has a cycle."""
    seen: set[int] = set()
    waiting = list(edges.get(start, ()))
    while waiting:
        i = waiting.pop()
        if i not in seen:
            seen.add(i)
            waiting.extend(edges.get(i, ()))
    return frozenset(seen)
