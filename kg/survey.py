"""Kinds of rows in a table too large to hold: counted first, then chosen one kind at a time.

What decides about an RRF row (source, language, relation, suppression...) takes few values. So one
pass counts the rows of every combination, the choice is made in that small table, where it can also
be counted and checked, and a join with it picks and labels the rows in the second pass.
"""

from collections.abc import Iterable, Sequence

import polars as pl

from kg.errors import InputError

__all__ = ["ROWS", "count_dropped", "count_rows", "mark_dropped", "require_known"]

ROWS = "rows"
DROPPED = "dropped"


def count_rows(table: pl.LazyFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Every combination of the columns' values with its number of `rows`."""
    counted = table.group_by(columns).agg(pl.len().cast(pl.Int64).alias(ROWS))
    return counted.collect(engine="streaming").sort(columns)


def mark_dropped(survey: pl.DataFrame, reasons: Sequence[tuple[str, pl.Expr]]) -> pl.DataFrame:
    """The survey with a column `dropped`: the first reason whose condition holds, else null."""
    found = [pl.when(condition).then(pl.lit(reason)) for reason, condition in reasons]
    return survey.with_columns(pl.coalesce(*found, pl.lit(None, pl.String)).alias(DROPPED))


def count_dropped(survey: pl.DataFrame) -> dict[str, int]:
    """Rows by reason, in alphabetical order."""
    counted = survey.drop_nulls(DROPPED).group_by(DROPPED).agg(pl.col(ROWS).sum()).sort(DROPPED)
    return dict(counted.iter_rows())


def require_known(what: str, wanted: Iterable[str], known: Iterable[str]) -> None:
    """Raise InputError, listing the known values, when a wanted one is not among them."""
    values = sorted(set(known))
    for value in wanted:
        if value not in values:
            listed = ", ".join(values) or "none"
            raise InputError(f"unknown {what} {value!r} in the config; known: {listed}")
