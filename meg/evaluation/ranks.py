"""Where the right disease stands among all, for each patient and in short."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kg.shared.artefact import replacing
from meg.evaluation.statistics import wilson

__all__ = ["TOPS", "Ranked", "realistic_rank", "summarise", "write_ranked"]

TOPS = (1, 3, 10)


@dataclass(frozen=True)
class Ranked:
    """A patient: the rank of the right disease by each method, and the likeliest ones.

    `likeliest` has disease (cui), name and score, best first.
    """

    id: str
    disease: str
    name: str
    kind: str
    ranks: dict[str, float]
    likeliest: list[dict[str, Any]]


def realistic_rank(scores: np.ndarray, right: int) -> float:
    """Rank of one place, 1 is best, in the middle of those with equal scores.

    As `kg.evaluation.ranking` has it, of one array (item,).
    """
    better, equal = (scores > scores[right]).sum(), (scores == scores[right]).sum()
    return float(1 + better + (equal - 1) / 2)


def summarise(rows: Sequence[Ranked]) -> dict[str, dict[str, Any]]:
    """Method -> all, and each kind of patients -> how far up the right disease stands."""
    groups = {"all": list(rows)}
    for row in rows:
        groups.setdefault(row.kind, []).append(row)
    return {
        method: {name: _measures(group, method) for name, group in groups.items()}
        for method in rows[0].ranks
    }


def _measures(rows: Sequence[Ranked], method: str) -> dict[str, Any]:
    """Shares with Wilson's intervals; `by_disease` are means over the diseases of the patients."""
    ranks = np.array([row.ranks[method] for row in rows])
    diseases, owner = np.unique([row.disease for row in rows], return_inverse=True)

    def by_disease(values: np.ndarray) -> float:
        return float((np.bincount(owner, values) / np.bincount(owner)).mean())

    tops = {f"top_{k}": ranks <= k for k in TOPS}
    return {
        "n": len(rows),
        "mean_reciprocal_rank": float((1 / ranks).mean()),
        **{
            name: {"share": float(right.mean()), "wilson": wilson(right)}
            for name, right in tops.items()
        },
        "by_disease": {
            "n": len(diseases),
            "mean_reciprocal_rank": by_disease(1 / ranks),
            **{name: by_disease(right) for name, right in tops.items()},
        },
    }


def write_ranked(path: Path, rows: Iterable[Ranked]) -> None:
    """Write a JSON-lines file, one patient a line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for row in rows:
            file.write(json.dumps(asdict(row), ensure_ascii=False) + "\n")
