"""The graph as a quiz sees it: which concepts can be named, which facts asked, what is also true.

A concept can be named when its name is short and no other concept has it as name or synonym: a
question about an ambiguous name has no answer. What follows from the graph's facts along is_a is
true as well, so a distractor is never a fact's ancestor or descendant.
"""

import re
from collections import Counter, defaultdict
from dataclasses import dataclass
from functools import cache

import numpy as np
import polars as pl

from meg.config import QuizKind

__all__ = ["KINDS", "Kind", "QuizGraph"]

WORD = re.compile(r"[^\W_]{3,}")
PREFIX = 5
"""Words that agree in so many letters count as the same: cardiac, cardiomyopathy."""

FUNCTION_WORDS = frozenset({"and", "due", "for", "from", "into", "the", "with", "without"})


@dataclass(frozen=True)
class Kind:
    """A kind of question: one end of a relation's facts is asked about, the other answers."""

    relation: str
    asked: str
    """"head" or "tail"."""
    types: tuple[str, str]
    """Semantic types of the concept asked about and of the options."""


KINDS: dict[QuizKind, Kind] = {
    "is_a": Kind("is_a", "tail", ("phenotype", "phenotype")),
    "phenotype": Kind("has_phenotype", "head", ("disease", "phenotype")),
    "disease": Kind("gene_of_disease", "head", ("gene", "disease")),
    "gene": Kind("gene_of_disease", "tail", ("disease", "gene")),
}


class QuizGraph:
    """Nodes are rows of `concepts`.

    Attributes: `cuis`, `names`, their `lengths` (N,); `nameable` (N,) bool; `degree` (N,) over
    all relations; `sharing`, word -> nodes whose name has it.
    """

    def __init__(self, concepts: pl.DataFrame, triplets: pl.DataFrame, max_characters: int) -> None:
        self.cuis = concepts["cui"].to_list()
        self.names = concepts["name"].to_list()
        self.lengths = np.array([len(name) for name in self.names])
        self.types = [set(types) for types in concepts["semantic_types"]]
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
        ends = np.concatenate([self._triplets["head"], self._triplets["tail"]])
        self.degree = np.bincount(ends, minlength=len(self.cuis))
        self.nameable = _nameable(concepts, max_characters)
        self.words = [content_words(name) for name in self.names]
        self.sharing: dict[str, set[int]] = defaultdict(set)
        for i, words in enumerate(self.words):
            for word in words:
                self.sharing[word].add(i)
        self._up, self._down = self._neighbours("is_a", "head"), self._neighbours("is_a", "tail")
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
        if kind.relation == "is_a":
            steps = rows.join(rows, left_on="tail", right_on="head", suffix="_above")
            further = steps.select("relation", "head", pl.col("tail_above").alias("tail"))
            rows = pl.concat([rows, further]).unique(maintain_order=True)
        ends = ("head", "tail") if kind.asked == "head" else ("tail", "head")
        asked, answer = (rows[end].to_numpy() for end in ends)
        kept = [
            kind.types[0] in self.types[a] and kind.types[1] in self.types[b]
            for a, b in zip(asked, answer, strict=True)
        ]
        return asked[kept], answer[kept]

    def true_of(self, subject: int, kind: Kind, answers: set[int]) -> set[int]:
        """Nodes that must not be distractors: the answers and what is_a makes true or unsure."""
        if kind.relation == "is_a":
            return {subject} | self.above(subject) | self.below(subject)
        related = set(answers)
        for answer in answers:
            related |= self.above(answer) | self.below(answer)
        return related

    def distinct(self, one: np.ndarray, two: np.ndarray) -> np.ndarray:
        """Whether the names of two nodes share no content word, elementwise."""
        pairs = zip(one.tolist(), two.tolist(), strict=True)
        return np.array([self.words[i].isdisjoint(self.words[j]) for i, j in pairs], dtype=bool)

    def similar_in_words(self, subject: int) -> set[int]:
        """Nodes whose names share a content word with the subject's."""
        return set().union(*(self.sharing[word] for word in self.words[subject]))

    def _neighbours(self, relation: str, end: str) -> dict[int, list[int]]:
        other = "tail" if end == "head" else "head"
        found: dict[int, list[int]] = defaultdict(list)
        rows = self._triplets.filter(pl.col("relation") == relation)
        for one, two in zip(rows[end].to_list(), rows[other].to_list(), strict=True):
            found[one].append(two)
        return found


def content_words(name: str) -> frozenset[str]:
    """First letters of the words that carry meaning, in lower case."""
    words = set(WORD.findall(name.lower())) - FUNCTION_WORDS
    return frozenset(word[:PREFIX] for word in words)


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
