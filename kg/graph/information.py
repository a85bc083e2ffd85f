"""How much a finding tells, and how alike patients and diseases are by it.

A term that few diseases have tells much. Let X' be a set of terms with all their ancestors:

    IC(t)     = -ln(share of the diseases d with t in d')
    sim(F, d) = mean over f in F of the largest IC(a), a in {f}' and in d'
    gic(d, e) = sum of IC over d' and e' in common / sum of IC over either

`sim` is the one-sided query similarity of Phenomizer (Koehler et al., AJHG 2009) by Resnik's
measure, `gic` is simGIC (Pesquita et al., BMC Bioinformatics 2008).
"""

from collections.abc import Sequence

import numpy as np
import polars as pl
from scipy import sparse

from kg.shared.errors import InputError

__all__ = ["Information"]


class Information:
    """Terms and diseases of the two tables, by their cuis.

    Attributes: `diseases`, cuis of the concepts that have a finding, in the order of the concepts;
    `content` (node,), the IC of each concept in nats, 0 where no disease has it. Raises InputError
    where no concept has a finding.
    """

    def __init__(
        self,
        concepts: pl.DataFrame,
        triplets: pl.DataFrame,
        relation: str = "has_phenotype",
        hierarchy: str = "is_a",
    ) -> None:
        cuis = concepts["cui"].to_list()
        self._cuis = cuis
        self.node = {cui: i for i, cui in enumerate(cuis)}
        self.closure = _closure(_edges(triplets, hierarchy, self.node))
        found = _edges(triplets, relation, self.node)
        rows = np.flatnonzero(np.diff(found.indptr))
        if not len(rows):
            raise InputError(
                f"no concept of the graph has a finding (relation {relation}); the information of "
                "findings needs the Human Phenotype Ontology (kg.hpo)"
            )
        self.diseases = [cuis[i] for i in rows.tolist()]
        self._row = {cui: i for i, cui in enumerate(self.diseases)}
        held = (found[rows] @ self.closure).sign()
        self._held = held.tocsc()
        self._held_rows = held.tocsr()
        share = np.asarray(held.sum(0)).ravel() / len(rows)
        self.content = -np.log(share, out=np.zeros_like(share), where=share > 0)

    def similarity(self, findings: Sequence[str]) -> np.ndarray:
        """sim(findings, d) for each of `diseases`, (disease,) float; 0 of no findings."""
        shared = sum(map(self.shared, findings), np.zeros(len(self.diseases)))
        return shared / max(1, len(findings))

    def shared(self, finding: str) -> np.ndarray:
        """The largest IC of what a finding and each disease have in common, (disease,) float."""
        best = np.zeros(len(self.diseases))
        above = self._above(finding)
        # The term that tells the most comes last and stays.
        for term in above[np.argsort(self.content[above])]:
            start, end = self._held.indptr[term:][:2]
            best[self._held.indices[start:end]] = self.content[term]
        return best

    def common(self, finding: str, disease: str) -> tuple[str, float] | None:
        """What tells the most of that in common of a finding and a disease: its cui and IC.

        None where they share nothing that tells anything.
        """
        start, end = self._held_rows.indptr[self._row[disease] :][:2]
        both = np.intersect1d(self._above(finding), self._held_rows.indices[start:end])
        best = max(both.tolist(), key=lambda term: float(self.content[term]), default=None)
        if best is None or not self.content[best]:
            return None
        return self._cuis[best], float(self.content[best])

    def _above(self, term: str) -> np.ndarray:
        """Nodes of a term and its ancestors."""
        start, end = self.closure.indptr[self.node[term] :][:2]
        return self.closure.indices[start:end]

    def has(self, disease: str) -> bool:
        """Whether a concept has findings."""
        return disease in self._row

    def row(self, disease: str) -> int:
        """Place of a disease among `diseases`; raises KeyError for one without findings."""
        return self._row[disease]

    def findings(self, diseases: Sequence[str]) -> np.ndarray:
        """Terms that each disease has, ancestors included, (disease,) int."""
        rows = [self._row[disease] for disease in diseases]
        return np.diff(self._held_rows.indptr)[rows]

    def alike(self, diseases: Sequence[str], others: Sequence[str]) -> np.ndarray:
        """gic of each with each of the others, (disease, other) float, in the given order."""
        one, other = (
            self._held_rows[[self._row[disease] for disease in group]]
            for group in (diseases, others)
        )
        weights = sparse.diags_array(self.content, format="csr")
        common = (one @ weights @ other.T).toarray()
        total = (one @ self.content)[:, None] + (other @ self.content)[None]
        return common / np.maximum(total - common, 1e-12)


def _edges(triplets: pl.DataFrame, relation: str, node: dict[str, int]) -> sparse.csr_array:
    """Adjacency (node, node), head to tail, of one relation; 1 an edge."""
    rows = triplets.filter(pl.col("relation") == relation).select("head", "tail").unique()
    ends = [[node[cui] for cui in rows[end]] for end in ("head", "tail")]
    return sparse.csr_array((np.ones(rows.height), ends), shape=(len(node), len(node)))


def _closure(parents: sparse.csr_array) -> sparse.csr_array:
    """Row i holds 1 at i and at all its ancestors."""
    step = (sparse.eye_array(parents.shape[0], format="csr") + parents).sign()
    reached, size = step, 0
    while reached.nnz > size:
        size = reached.nnz
        reached = (reached @ step).sign()
    return reached.tocsr()
