"""Diseases to choose among: a right one and wrong ones like it, so that only the patient tells.

The wrong ones are among the nearest of the right one by the graph's annotations, never by vectors
under test. Drawn at random from there, the right one would stand in their middle and be told by
that. So for each cue (how alike an option is to the others, how many findings it has, how long its
name is) the right option's rank among the four is drawn, and wrong options are taken that fit.
"""

from collections.abc import Mapping, Sequence
from functools import cached_property
from itertools import combinations

import numpy as np

from kg.graph.information import Information

__all__ = ["OPTIONS", "Differential", "Neighbourhood"]

OPTIONS = 4

CHUNK = 256
"""Diseases that are compared with all others at a time."""

CUES = ("like the other options", "findings in the graph", "length of the name")


class Neighbourhood:
    """A disease and those most like it; row 0 of `cues` (disease, disease, cue) is its own."""

    def __init__(
        self, diseases: Sequence[str], information: Information, names: Mapping[str, str]
    ) -> None:
        self.diseases = list(diseases)
        self.alike = information.alike(diseases, diseases)
        self.findings = information.findings(diseases)
        self.lengths = np.array([len(names[disease]) for disease in diseases])

    @cached_property
    def choices(self) -> np.ndarray:
        """Every choice of wrong options, with the right one before them, (choice, option) int."""
        wrong = list(combinations(range(1, len(self.diseases)), OPTIONS - 1))
        return np.insert(np.array(wrong), 0, 0, axis=1)

    @cached_property
    def ranks(self) -> np.ndarray:
        """How many options are above the right one in each cue, (choice, cue) int."""
        return (self.cues[:, 1:] > self.cues[:, :1]).sum(axis=1)

    @property
    def cues(self) -> np.ndarray:
        """What could tell an option without the patient, (choice, option, cue)."""
        chosen = self.choices
        among = self.alike[chosen[:, :, None], chosen[:, None, :]].sum(axis=2)
        return np.stack([among, self.findings[chosen], self.lengths[chosen]], axis=2)


class Differential:
    """Draws the options; `ranks` counts, for each cue, the right options' ranks so far."""

    def __init__(
        self,
        diseases: Sequence[str],
        nearest: int,
        information: Information,
        names: Mapping[str, str],
    ) -> None:
        self.diseases, self.nearest = list(diseases), nearest
        self.information, self.names = information, names
        self._around: dict[str, Neighbourhood] = {}
        self.ranks = np.zeros((len(CUES), OPTIONS), dtype=int)

    def prepare(self, right: Sequence[str]) -> None:
        """Find the neighbourhoods of these diseases."""
        place = {disease: i for i, disease in enumerate(self.diseases)}
        for start in range(0, len(right), CHUNK):
            part = right[start : start + CHUNK]
            alike = self.information.alike(part, self.diseases)
            for disease, row in zip(part, alike, strict=True):
                # Before all others, whatever has the very same findings.
                row[place[disease]] = np.inf
                order = np.argsort(-row, kind="stable")[: self.nearest + 1]
                near = [self.diseases[i] for i in order]
                self._around[disease] = Neighbourhood(near, self.information, self.names)

    def options(self, right: str, place: int, rng: np.random.Generator) -> list[str]:
        """The options, the right one at `place`, the others in a random order."""
        around = self._around[right]
        wanted = rng.integers(OPTIONS, size=len(CUES))
        off = np.abs(around.ranks - wanted).sum(axis=1)
        chosen = int(rng.choice(np.flatnonzero(off == off.min())))
        self.ranks[np.arange(len(CUES)), around.ranks[chosen]] += 1
        wrong = rng.permutation(around.choices[chosen, 1:]).tolist()
        return [around.diseases[i] for i in (*wrong[:place], 0, *wrong[place:])]

    def shortcuts(self) -> dict[str, dict[str, float]]:
        """How often the right option has the most, and the least, of each cue."""
        shares = self.ranks / self.ranks.sum(axis=1, keepdims=True)
        return {
            cue: {"most": float(row[0]), "least": float(row[-1])}
            for cue, row in zip(CUES, shares, strict=True)
        }
