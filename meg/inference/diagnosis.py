"""All diseases of a graph by how well they fit a patient's findings.

Without an LLM: the information that findings and disease have in common (`kg.graph.information`),
and the cosine of the findings' vectors as one and the disease's. `both` is their sum, each
standardised over all diseases. An LLM may then judge the best (`meg.inference.judge`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kg.graph.annotations import AnnotatedGraph
from kg.graph.information import Information
from kg.shared.errors import InputError
from meg.config import RankConfig
from meg.evaluation.ranks import realistic_rank
from meg.prompts.vectors import Vectors

__all__ = ["Candidates", "Diseases", "added", "best"]


class Diseases:
    """The diseases of a catalogue that have findings and, where there are vectors, a vector.

    Attributes: `cuis`, in the order of every score; `place`, of each cui there; `names` of all
    concepts; `information`. Raises InputError where there is none.
    """

    def __init__(self, graph: AnnotatedGraph, vectors: Vectors | None, config: RankConfig) -> None:
        self.information = Information(graph.concepts, graph.triplets)
        self.names = graph.names
        self.vectors, self.weight = vectors, config.weight
        start = f"{config.catalogue}:"
        self.cuis = [
            cui
            for cui in self.information.diseases
            if cui.startswith(start) and (vectors is None or vectors.known(cui))
        ]
        if not self.cuis:
            every = self.information.diseases
            raise InputError(
                f"catalogue {config.catalogue}: none of the {len(every)} diseases with findings "
                f"(first {every[0]}) is of it and has a vector; set catalogue to what stands "
                "before the colon of such an id, and give the store of this graph"
            )
        self.place = {cui: i for i, cui in enumerate(self.cuis)}
        self._rows = np.array([self.information.row(cui) for cui in self.cuis])
        self._units = None if vectors is None else _units(vectors(self.cuis))

    def scores(self, findings: Sequence[str]) -> dict[str, np.ndarray]:
        """Method -> score of each disease (disease,), larger is likelier.

        `information`; with vectors also `vectors` and `both`. Findings are cuis, one at least.
        """
        scores = {"information": self.information.similarity(findings)[self._rows]}
        if self._units is not None and self.vectors is not None:
            known = tuple(cui for cui in findings if self.vectors.known(cui))
            pooled = _units(self.vectors([known])) if known else np.zeros((1, self.vectors.dim))
            scores["vectors"] = self._units @ pooled[0]
            scores["both"] = added(scores["information"], scores["vectors"], self.weight)
        return scores

    def named(self, candidates: "Candidates", most: int) -> list[tuple[str, float]]:
        """cui and score of the first candidates, `most` or fewer."""
        places, scores = candidates.places[:most].tolist(), candidates.scores[:most].tolist()
        return [(self.cuis[place], score) for place, score in zip(places, scores, strict=True)]


def added(one: np.ndarray, other: np.ndarray, weight: float) -> np.ndarray:
    """Sum of two scores of the same diseases, each standardised; `weight` is the other's share."""
    return (1 - weight) * _standardised(one) + weight * _standardised(other)


@dataclass(frozen=True)
class Candidates:
    """Places of the best diseases and their scores, best first, (candidate,) each."""

    places: np.ndarray
    scores: np.ndarray

    def rank(self, place: int, otherwise: float) -> float:
        """Realistic rank of a disease; for one that is not among them that of all diseases."""
        found = np.flatnonzero(self.places == place)
        if not len(found):
            return max(otherwise, len(self.places) + 1.0)
        return realistic_rank(self.scores, int(found[0]))


def best(scores: np.ndarray, most: int) -> Candidates:
    """The places with the largest scores, `most` or fewer."""
    places = np.argsort(-scores, kind="stable")[:most]
    return Candidates(places, scores[places])


def _standardised(scores: np.ndarray) -> np.ndarray:
    return (scores - scores.mean()) / (scores.std() or 1)


def _units(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
