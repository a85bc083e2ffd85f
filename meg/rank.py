"""All diseases of the graph ranked for published patients.

Beside the summary `x.json` lies `x.jsonl`, one patient a line: its rank by each method, and the ten
likeliest. Nothing here is medical advice.
"""

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import Field
from tqdm import tqdm

from kg.graph.annotations import AnnotatedGraph
from kg.shared.artefact import file_digest, write_json
from kg.shared.command import Command, main
from kg.sources.phenopackets import read_phenopackets
from kg.store import EmbeddingStore
from meg.config import RankConfig
from meg.datasets.cases import Cases, Row
from meg.evaluation.ranks import TOPS, Ranked, realistic_rank, summarise, write_ranked
from meg.inference.diagnosis import Candidates, Diseases, best
from meg.inference.judge import Judge
from meg.model.checkpoint import load
from meg.prompts.vectors import Vectors

__all__ = ["rank"]

LISTED = 10
JUDGED = "with LLM"

log = logging.getLogger(__name__)


def rank(
    cases: Sequence[Row], diseases: Diseases, judge: Judge | None, config: RankConfig
) -> list[Ranked]:
    """The cases in their order; all their diseases are among `diseases`."""
    ranks, candidates = [], []
    for _, case, disease, _ in tqdm(cases, desc="patients", disable=None):
        scores, right = diseases.scores(case.findings), diseases.place[disease]
        ranks.append({method: realistic_rank(one, right) for method, one in scores.items()})
        candidates.append(best(scores[config.by], config.candidates))
    if judge is not None:
        candidates = judge.judged(diseases, [case for _, case, _, _ in cases], candidates)
        for row, own, one in zip(cases, ranks, candidates, strict=True):
            own[JUDGED] = one.rank(diseases.place[row[2]], own[config.by])
    return [
        Ranked(id, disease, diseases.names[disease], kind, own, _listed(one, diseases))
        for (id, _, disease, kind), own, one in zip(cases, ranks, candidates, strict=True)
    ]


def _listed(candidates: Candidates, diseases: Diseases) -> list[dict[str, Any]]:
    return [
        {"disease": cui, "name": diseases.names[cui], "score": round(score, 4)}
        for cui, score in diseases.named(candidates, LISTED)
    ]


class RankCommand(Command):
    """Rank all diseases for published patients, by information, vectors, both, and an LLM."""

    patients: Path = Field(description="phenopackets: a folder, a zip, or one file")
    graph: Path = Field(description="folder that kg.hpo wrote")
    store: Path = Field(description="embeddings.h5 of this graph")
    checkpoint: Path | None = Field(
        None, description="of meg.finetune on patients; none: without an LLM"
    )
    base: str | None = Field(None, description="where the base LLM is, if not as recorded")
    config: RankConfig = Field(RankConfig(), description="section `rank` of the configuration")
    out: Path = Field(description="the summary, JSON; the patients lie beside it, JSON lines")

    def run(self) -> None:
        """Read graph and patients, rank, write both files."""
        graph, store = AnnotatedGraph.read(self.graph), EmbeddingStore(self.store)
        store.check(graph.concepts)
        vectors = Vectors(store)
        diseases = Diseases(graph, vectors, self.config)
        patients, unread = read_phenopackets(self.patients)
        for one in unread:
            log.warning("%s: %s", one.file, one.reason)
        cases, dropped = Cases(graph).usable(
            patients, diseases.place, self.config.min_findings, self.patients
        )
        judge = None
        if self.checkpoint is not None:
            judge = Judge(load(self.checkpoint, self.base), vectors, self.config)
        rows = rank(cases, diseases, judge, self.config)
        methods = summarise(rows)
        write_ranked(self.out.with_suffix(".jsonl"), rows)
        counts = {"read": len(patients), "unread": len(unread), "dropped": dropped}
        write_json(
            self.out,
            {
                "methods": methods,
                "patients": counts | {"ranked": len(rows)},
                "diseases": len(diseases.cuis),
                "run": self.model_dump(mode="json"),
                "digests": {"store": file_digest(self.store)},
            },
        )
        _tell(methods)


def _tell(methods: dict[str, dict[str, Any]]) -> None:
    for method, groups in methods.items():
        for name, found in groups.items():
            shares = ", ".join(f"top {k} {100 * found[f'top_{k}']['share']:.1f}%" for k in TOPS)
            log.info("%s, %s, %d patients: %s", method, name, found["n"], shares)


if __name__ == "__main__":
    main(RankCommand)
