"""The likeliest diseases of one patient, with the findings that speak for each.

Nothing here is medical advice: the diseases are ordered by what a graph says of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kg.shared.errors import InputError
from kg.sources.phenopackets import Patient
from meg.config import RankConfig
from meg.datasets.cases import Cases
from meg.inference.diagnosis import Diseases, best
from meg.inference.judge import Judge

__all__ = ["Likeliest", "Likely", "Speaking", "likeliest"]

SHOWN = 10
WORDS = {"both": "information and vectors", "information": "information", "vectors": "vectors"}
SPEAKING = 5
"""Findings shown of each disease, at most."""


@dataclass(frozen=True)
class Speaking:
    """A finding that speaks for a disease: by the term that both have, which tells `content`."""

    finding: str
    term: str
    content: float


@dataclass(frozen=True)
class Likely:
    """A disease by its cui and name, its score, and what speaks for it, the most telling first."""

    disease: str
    name: str
    score: float
    speaking: tuple[Speaking, ...]


@dataclass(frozen=True)
class Likeliest:
    """The best diseases of a patient, best first, and `by` which scores they are."""

    by: str
    diseases: tuple[Likely, ...]

    def __str__(self) -> str:
        lines = [f"The likeliest diseases by {self.by}. This is not medical advice.", ""]
        for number, row in enumerate(self.diseases, 1):
            lines.append(f"{number:2}. {row.name} ({row.disease})  {row.score:.2f}")
            lines += [f"      {one.content:.2f}  {_in_words(one)}" for one in row.speaking]
        return "\n".join(lines) + "\n"


def likeliest(
    patient: Patient, cases: Cases, diseases: Diseases, judge: Judge | None, config: RankConfig
) -> Likeliest:
    """The best diseases by `config.by`, by information where there are no vectors.

    Raises InputError for a patient without a finding of the graph.
    """
    case = cases.case(patient)
    if not case.findings:
        raise InputError(
            f"{patient.id}: none of its {len(patient.findings)} findings is a phenotype of the "
            "graph; give the findings as terms of the Human Phenotype Ontology (HP:...)"
        )
    found = diseases.scores(case.findings)
    by = config.by if config.by in found else "information"
    candidates = best(found[by], config.candidates)
    if judge is not None:
        (candidates,) = judge.judged(diseases, [case], [candidates])
    llm = "with the LLM" if judge is not None else "without an LLM"
    return Likeliest(
        f"{WORDS[by]}, {llm}",
        tuple(
            Likely(cui, diseases.names[cui], score, _speaking(case.findings, cui, diseases))
            for cui, score in diseases.named(candidates, SHOWN)
        ),
    )


def _in_words(one: Speaking) -> str:
    return one.finding if one.finding == one.term else f"{one.finding} (both: {one.term})"


def _speaking(findings: Sequence[str], disease: str, diseases: Diseases) -> tuple[Speaking, ...]:
    names, common = diseases.names, diseases.information.common
    shared = [(finding, common(finding, disease)) for finding in findings]
    told = [
        Speaking(names[finding], names[term], content)
        for finding, (term, content) in ((one, both) for one, both in shared if both is not None)
    ]
    return tuple(sorted(told, key=lambda one: -one.content)[:SPEAKING])
