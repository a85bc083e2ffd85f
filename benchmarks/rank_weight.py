"""The share of the vectors' score in `both` of meg.rank, tried on simulated patients.

python benchmarks/rank_weight.py --graph results/kg/hpo \\
    --store results/kg/hpo/edgegraphsage/embeddings.h5 --patients data/all_phenopackets.zip

They are of OMIM diseases that no patient of `--patients` has.
"""

import sys
from pathlib import Path

import numpy as np
from pydantic import Field

from kg.graph.annotations import AnnotatedGraph
from kg.shared.command import Command, main
from kg.sources.phenopackets import read_phenopackets
from kg.store import EmbeddingStore
from meg.config import RankConfig
from meg.datasets.simulated import Simulator
from meg.evaluation.ranks import TOPS, realistic_rank
from meg.inference.diagnosis import Diseases, added
from meg.prompts.vectors import Vectors

WEIGHTS = [i / 10 for i in range(11)]


class RankWeight(Command):
    """Rank the diseases of simulated patients with several weights."""

    graph: Path = Field(description="folder that kg.hpo wrote")
    store: Path = Field(description="embeddings.h5 of this graph")
    patients: Path = Field(description="phenopackets, whose diseases are left out")
    count: int = Field(1000, ge=1, description="simulated patients")
    seed: int = Field(0, ge=0, description="others")

    def run(self) -> None:
        """One line a weight."""
        graph = AnnotatedGraph.read(self.graph)
        diseases = Diseases(graph, Vectors(EmbeddingStore(self.store)), RankConfig())
        simulator = Simulator(graph.annotations, graph.parents)
        tested = {patient.disease for patient in read_phenopackets(self.patients)[0]}
        free = [cui for cui in diseases.cuis if cui not in tested and simulator.knows(cui)]
        rng = np.random.default_rng(self.seed)
        ranks = []
        for disease in rng.choice(free, size=self.count).tolist():
            scores = diseases.scores(simulator.case(disease, rng).findings)
            both = (added(scores["information"], scores["vectors"], one) for one in WEIGHTS)
            ranks.append([realistic_rank(one, diseases.place[disease]) for one in both])
        for weight, own in zip(WEIGHTS, np.array(ranks).T, strict=True):
            tops = "  ".join(f"top {k} {100 * (own <= k).mean():.1f}" for k in TOPS)
            line = f"{weight:.1f}  mean reciprocal rank {(1 / own).mean():.3f}  {tops}"
            sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main(RankWeight)
