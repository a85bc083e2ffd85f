"""Ids of concepts as numbers of four bytes: many times cheaper to hold, sort and join than strings.

Any string is an id. Most ids of a Metathesaurus are UMLS CUIs, which hold a number already; the
NCI's has some of its own beside them (CL999999).
"""

import numpy as np
import polars as pl

__all__ = ["Numbering"]

_CUIS = 10_000_000
"""How many ids of C and seven digits there are: the first number of other ids."""


class Numbering:
    """The number of each of `ids`: 12 for "C0000012"; ids of other forms follow `_CUIS`.

    Equal numbers are equal ids; their order is not that of the ids. `none` is for all other
    strings, and for null.
    """

    def __init__(self, ids: pl.Series) -> None:
        others = ids.to_frame("id").lazy().filter(_cui_number("id").is_null()).drop_nulls()
        self._others = others.collect(engine="streaming")["id"].unique().sort()
        self.others = len(self._others)
        """How many ids are no CUIs."""
        self.none = _CUIS + self.others

    def number(self, column: str) -> pl.Expr:
        """The numbers (UInt32) of a column of ids."""
        number = _cui_number(column)
        if self.others:
            follow = pl.int_range(_CUIS, self.none, dtype=pl.UInt32, eager=True)
            number = pl.coalesce(
                number, pl.col(column).replace_strict(self._others, follow, default=None)
            )
        return number.fill_null(self.none)

    def places(self, ids: pl.Series) -> np.ndarray:
        """Place in `ids`, distinct ones of these, by number; -1 where it is not there, or `none`.

        Shape: `(none + 1,)`, int32.
        """
        places = np.full(self.none + 1, -1, dtype=np.int32)
        numbers = ids.to_frame("id").select(self.number("id")).to_series()
        places[numbers.to_numpy()] = np.arange(len(ids))
        return places


def _cui_number(column: str) -> pl.Expr:
    """12 for "C0000012", null for strings of another form."""
    cui = pl.col(column).str
    # The sign of "C+123456" would be read as one of the number.
    form = (cui.len_bytes() == 8) & cui.starts_with("C") & ~cui.starts_with("C+")
    return pl.when(form).then(cui.slice(1).cast(pl.UInt32, strict=False))
