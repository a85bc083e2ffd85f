"""Rows of concepts to the table of concepts: one row an id, a name for each."""

import polars as pl

from kg.graph.tables import CONCEPTS
from kg.sources.summary import Summary, file_rows

__all__ = ["concept_table"]


def concept_table(rows: pl.DataFrame) -> tuple[pl.DataFrame, Summary]:
    """Concepts in the order of their ids, and what became of the rows.

    `rows` have the columns of `CONCEPTS`. Rows of one id become one concept: its name is the first,
    further ones are synonyms; kinds are those of all, the definition is the first. A concept
    without a name is named by its id.
    """
    text = pl.col("cui", "name", "definition").fill_null("").str.strip_chars()
    lists = pl.col("synonyms", "semantic_types").fill_null([])
    rows = rows.select(CONCEPTS.names()).cast(CONCEPTS).with_columns(text, lists)
    whole = rows.filter(pl.col("cui") != "")
    again = whole["cui"].is_duplicated()
    concepts = pl.concat([whole.filter(~again), _merged(whole.filter(again))]).sort("cui")
    name = pl.when(pl.col("name") == "").then("cui").otherwise("name")
    definition = pl.col("definition").replace("", None)
    concepts = concepts.with_columns(name=name, definition=definition).with_columns(
        synonyms=_distinct("synonyms").list.set_difference(pl.concat_list("name")).list.sort(),
        semantic_types=_distinct("semantic_types").list.sort(),
    )
    dropped = {
        "no id": rows.height - whole.height,
        "same id": whole.height - concepts.height,
    }
    return concepts, file_rows(rows.height, dropped, concepts.height)


def _merged(rows: pl.DataFrame) -> pl.DataFrame:
    """One row an id of rows whose ids stand several times."""

    def first(column: str) -> pl.Expr:
        return pl.col(column).filter(pl.col(column) != "").first().fill_null("")

    return rows.group_by("cui", maintain_order=True).agg(
        name=first("name"),
        synonyms=pl.col("name").append(pl.col("synonyms").explode()),
        semantic_types=pl.col("semantic_types").explode(),
        definition=first("definition"),
    )


def _distinct(column: str) -> pl.Expr:
    """The texts of a list column, without space around them, each once."""
    texts = pl.col(column).list.eval(pl.element().str.strip_chars()).list.unique()
    return texts.list.set_difference(pl.lit(["", None], dtype=pl.List(pl.String)))
