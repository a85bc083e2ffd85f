"""What a corpus taught about names: the table between `kg.link fit` and `kg.link build`."""

from pathlib import Path

import polars as pl

from kg.artefact import replacing
from kg.damage import check_file
from kg.errors import InputError

__all__ = ["PRIORS", "read_priors", "write_priors"]

PRIORS = pl.Schema(
    {"key": pl.String(), "cui": pl.String(), "count": pl.UInt32(), "link": pl.Float32()}
)
"""A row a key and cui: gold mentions with that cui, and the key's link probability; cui is null and
count 0 where a name of the concepts occurs in the corpus and is no mention."""


def write_priors(path: Path, priors: pl.DataFrame) -> None:
    """Write `priors.parquet`."""
    with replacing(path) as temporary:
        priors.write_parquet(temporary)


def read_priors(path: Path) -> pl.DataFrame:
    """Read `priors.parquet`, checking its columns."""
    check_file(path, "make it with `kg.link fit`")
    try:
        priors = pl.read_parquet(path)
    except pl.exceptions.PolarsError as error:
        raise InputError(
            f"{path} is not a whole parquet file ({error}); make it with `kg.link fit`"
        ) from error
    if priors.schema != PRIORS:
        raise InputError(f"{path} has the columns {dict(priors.schema)}, expected {dict(PRIORS)}")
    return priors
