"""Published patients in the concepts of a graph, and which of them can be asked about.

Where the graph cites the paper that a case is from, the case is no fair test: what the graph says
of the disease was taken from it. Such cases are of the kind "paper cited", the others of "paper not
cited".
"""

from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Literal

import polars as pl

from kg.graph.annotations import AnnotatedGraph
from kg.shared.errors import InputError
from kg.sources.phenopackets import Patient
from meg.datasets.vignette import Case

__all__ = ["CITED", "UNCITED", "Cases", "Row"]

CITED, UNCITED = "paper cited", "paper not cited"

Row = tuple[str, Case, str, str]
"""id, case, disease, kind."""


class Cases:
    """What a graph makes of patients."""

    def __init__(self, graph: AnnotatedGraph) -> None:
        phenotype = pl.col("semantic_types").list.contains("phenotype")
        terms = set(graph.concepts.filter(phenotype)["cui"])
        self.keys = {id: cui for id, cui in graph.ids.select("id", "cui").rows() if cui in terms}
        self.cited = frozenset(graph.annotations["paper"])

    def case(self, patient: Patient) -> Case:
        """The patient; findings that are no phenotype of the graph are left out."""
        found, absent = (
            tuple(dict.fromkeys(self.keys[id] for id in ids if id in self.keys))
            for ids in (patient.findings, patient.absent)
        )
        return Case(found, absent, patient.sex, patient.age)

    def kind(self, patient: Patient) -> str:
        """Whether the graph cites a paper that the patient is from."""
        return UNCITED if self.cited.isdisjoint(patient.papers) else CITED

    def usable(
        self,
        patients: Sequence[Patient],
        diseases: Collection[str],
        min_findings: int,
        where: Path,
        papers: Literal["uncited", "all"] = "all",
    ) -> tuple[list[Row], dict[str, int]]:
        """The patients that can be asked about, and how many cannot for which reason.

        Their disease is one of `diseases`; with papers "uncited" they are of that kind. Raises
        InputError, naming the file `where` they stand, if there is none.
        """
        rows, lost = [], Counter[str]()
        for patient in patients:
            case, kind = self.case(patient), self.kind(patient)
            if patient.disease not in diseases:
                lost["disease without findings in the graph"] += 1
            elif len(case.findings) < min_findings:
                lost[f"fewer than {min_findings} findings in the graph"] += 1
            elif papers == "uncited" and kind == CITED:
                lost[kind] += 1
            else:
                rows.append((f"patient-{patient.id}", case, patient.disease, kind))
        if not rows:
            raise InputError(
                f"{where}: none of {len(patients)} patients can be asked about ({dict(lost)}); are "
                "their diseases of this graph?"
            )
        return rows, dict(lost)
