"""Kinds of rows in a table too large to hold: counted first, then chosen one kind at a time.

What decides about an RRF row (source, language, relation, suppression...) takes few values. So one
pass counts the rows of every combination, the choice is made in that small table, where it can also
be counted and checked, and a join with it picks and labels the rows in the second pass.
"""

from collections.abc import Sequence

import polars as pl

__all__ = ["ROWS", "count_dropped", "count_rows", "mark_dropped"]

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
