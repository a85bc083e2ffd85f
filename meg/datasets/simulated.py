"""Patients drawn from a graph's annotations, to learn from: no real one is needed for it.

A simulated patient has some findings of a disease, drawn by how often its patients have them; a
quarter of them is told less exactly, by a parent term; some findings belong to nothing, drawn by
how common they are; and some common findings are absent.
"""

from collections.abc import Sequence

import numpy as np
import polars as pl

from meg.datasets.vignette import Case

__all__ = ["Simulator"]

UNTOLD = 0.5
"""Frequency of a finding whose annotation names none."""

LESS_EXACT = 0.25
OWN, FOREIGN, ABSENT = (2, 7), (1, 4), (0, 3)
"""Fewest and most findings of each sort."""


class Simulator:
    """Draws cases; every draw takes the caller's generator.

    `annotations`: disease, finding, frequency (0 to 1 or null), see `kg.hpo`; `parents`: of each
    finding, those that are findings themselves.
    """

    def __init__(self, annotations: pl.DataFrame, parents: dict[str, list[str]]) -> None:
        self.parents = parents
        told = annotations.group_by("disease", "finding").agg(
            pl.col("frequency").max().fill_null(UNTOLD)
        )
        rows = (
            told.sort("disease", "finding").group_by("disease", maintain_order=True).agg(pl.all())
        )
        self.findings = {
            disease: (np.array(own), np.array(often))
            for disease, own, often in rows.select("disease", "finding", "frequency").iter_rows()
        }
        common = told.group_by("finding").len().sort("finding")
        self.every = common["finding"].to_numpy()
        self.weights = common["len"].to_numpy() / common["len"].sum()

    def knows(self, disease: str) -> bool:
        """Whether a patient of this disease can be drawn: two findings are known, or more."""
        return disease in self.findings and len(self.findings[disease][0]) > 1

    def case(self, disease: str, rng: np.random.Generator) -> Case:
        """A patient of a disease that has two findings or more."""
        own, often = self.findings[disease]
        size = min(int((often > 0).sum()), _between(OWN, rng))
        drawn = rng.choice(own, size=size, replace=False, p=often / often.sum()).tolist()
        told = [self._told(finding, rng) for finding in drawn]
        foreign = self._any(_between(FOREIGN, rng), rng)
        findings = dict.fromkeys([*told, *foreign])
        absent = [one for one in self._any(_between(ABSENT, rng), rng) if one not in findings]
        order = rng.permutation(len(findings))
        return Case(
            findings=tuple(np.array(list(findings))[order].tolist()),
            absent=tuple(one for one in absent if one not in set(own.tolist())),
            sex=str(rng.choice(("FEMALE", "MALE"))),
        )

    def _told(self, finding: str, rng: np.random.Generator) -> str:
        above: Sequence[str] = self.parents.get(finding, ())
        if rng.random() >= LESS_EXACT or not above:
            return finding
        return above[int(rng.integers(len(above)))]

    def _any(self, size: int, rng: np.random.Generator) -> list[str]:
        return rng.choice(self.every, size=size, replace=False, p=self.weights).tolist()


def _between(ends: tuple[int, int], rng: np.random.Generator) -> int:
    return int(rng.integers(ends[0], ends[1] + 1))
