"""What two tables hold, as numbers for `summary.json` and the report."""

from typing import Any

import numpy as np
import polars as pl

__all__ = ["summarise"]

QUANTILES = {"minimum": 0.0, "median": 0.5, "p90": 0.9, "p99": 0.99, "maximum": 1.0}


def summarise(concepts: pl.DataFrame, triplets: pl.DataFrame) -> dict[str, Any]:
    """Counts of concepts (per semantic type), triplets (per relation) and the degrees.

    A concept's degree is the number of triplets it stands in; `top_percent_share` is the part of
    all triplet ends that belongs to the 1% of concepts of highest degree.
    """
    degrees = np.sort(_degrees(concepts, triplets))
    top = degrees[-max(1, len(degrees) // 100) :]
    return {
        "concepts": concepts.height,
        "triplets": triplets.height,
        "concepts_with_cui": concepts["cui"].str.contains(r"^C\d{7}$").sum(),
        "synonyms": int(concepts["synonyms"].list.len().sum()),
        "definitions": int(concepts["definition"].is_not_null().sum()),
        "semantic_types": _counts(concepts["semantic_types"].explode(), "semantic_types"),
        "relations": _counts(triplets["relation"], "relation"),
        "degree": {
            **{name: float(np.quantile(degrees, at)) for name, at in QUANTILES.items()},
            "mean": float(degrees.mean()),
            "isolated": int((degrees == 0).sum()),
            "top_percent_share": float(top.sum() / max(1, degrees.sum())),
        },
    }


def _degrees(concepts: pl.DataFrame, triplets: pl.DataFrame) -> np.ndarray:
    ends = pl.concat([triplets["head"], triplets["tail"].rename("head")]).value_counts()
    degrees = concepts.join(ends, left_on="cui", right_on="head", how="left")["count"]
    return degrees.fill_null(0).to_numpy()


def _counts(values: pl.Series, name: str) -> dict[str, int]:
    counts = values.drop_nulls().value_counts().sort(["count", name], descending=[True, False])
    return dict(counts.rows())
