"""MRREL to triplets between kept concepts.

A row of MRREL says what its second concept is to its first (UMLS Reference Manual, 3.3.9):
`Cystitis|...|RO|Mesna|...|may_treat` is the triplet (Mesna, may_treat, Cystitis). It says
everything twice, once in each direction; of a pair of inverse relations one is kept for all rows,
and the rows of the other are turned round, so that no fact can be read off its own inverse.
"""

import logging
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import polars as pl

from kg.config import UMLSConfig
from kg.rrf import find_rrf, scan_rrf
from kg.summary import Summary, file_rows
from kg.survey import ROWS, count_dropped, count_rows, mark_dropped, require_known
from kg.umls_concepts import cui_number

__all__ = ["inverse_relations", "kept_direction", "umls_triplets"]

REL_INVERSES = {"PAR": "CHD", "RB": "RN", "AQ": "QB"}
"""Kinds (REL) whose inverse is another kind."""

_SYMMETRIC = ("RO", "SIB", "SY", "RQ", "RL", "RU", "XR")
_KINDS = (*REL_INVERSES, *REL_INVERSES.values(), *_SYMMETRIC, "DEL")
_CODE = pl.Categorical(pl.Categories("MRREL", physical=pl.UInt16))
"""Values of _KIND as numbers; there are about a thousand different ones."""
_NUMBERS = 10_000_000
"""How many CUIs of seven digits there are."""
_KIND = ["REL", "RELA", "SAB", "SUPPRESS"]

log = logging.getLogger(__name__)


def umls_triplets(
    folder: Path, concepts: pl.DataFrame, config: UMLSConfig
) -> tuple[pl.DataFrame, Summary]:
    """Triplets in the order of `kg.tables`, each once, and what became of MRREL's rows."""
    relations = _relations(folder)
    kinds = count_rows(relations.lazy(), [*_KIND, "inside"]).cast(dict.fromkeys(_KIND, pl.String))
    kinds = _choose_kinds(_name_kinds(kinds, folder), config)
    used = kinds.filter(pl.col("dropped").is_null())
    facts = _facts(relations, used, concepts["cui"])
    del relations  # A full release has 50 million rows: sorting the facts needs the room.
    triplets = _triplets(facts, concepts["cui"], used["relation"].unique().sort())
    dropped = count_dropped(kinds)
    dropped["no concept at an end"] = int(used[ROWS].sum()) - facts.height
    dropped["same fact"] = facts.height - triplets.height
    return triplets, file_rows(int(kinds[ROWS].sum()), dropped, triplets.height)


def inverse_relations(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The inverse of each relation that has one (its own name where it is symmetric).

    By MRDOC; without it by the kinds' meaning and by names: inverse_X and X, has_X and X_of, X
    and X_by. A name without a known inverse is not in the result.
    """
    if find_rrf(folder, "MRDOC") is not None:
        pairs = scan_rrf(folder, "MRDOC", ["VALUE", "TYPE", "EXPL"])
        inverse = pl.col("TYPE").is_in(["rel_inverse", "rela_inverse"])
        rows = pairs.filter(inverse & (pl.col("EXPL") != "")).select("VALUE", "EXPL").collect()
        return dict(rows.iter_rows()) | dict(rows.select("EXPL", "VALUE").iter_rows())
    log.warning("%s has no MRDOC.RRF: inverse relations are told by their names", folder)
    known = {**REL_INVERSES, **{b: a for a, b in REL_INVERSES.items()}}
    known |= {name: name for name in _SYMMETRIC}
    existing = set(names)
    for name in sorted(existing):
        stem = name.removeprefix("has_")
        for other in (f"inverse_{name}", f"{stem}_of" if stem != name else "", f"{name}_by"):
            if other in existing:
                known |= {name: other, other: name}
    return known


def kept_direction(relation: str, inverse: str) -> str:
    """Which of two inverse relations is kept: the shorter name, the first of two as long.

    That tends to be the plain one: isa, may_treat, part_of.
    """
    return min(relation, inverse, key=lambda name: (len(name), name))


def _name_kinds(kinds: pl.DataFrame, folder: Path) -> pl.DataFrame:
    """Adds each kind's `relation`, whether its rows are `turned`, and whether it is `symmetric`."""
    name = pl.when(pl.col("RELA") == "").then("REL").otherwise("RELA")
    kinds = kinds.with_columns(named=name)
    names = kinds["named"].unique().sort()
    inverses = inverse_relations(folder, names)
    kept = [kept_direction(name, inverses.get(name, name)) for name in names]
    relations = pl.DataFrame(
        {"named": names, "relation": pl.Series(kept, dtype=pl.String)}
    ).with_columns(
        turned=pl.col("named") != pl.col("relation"),
        symmetric=pl.Series([inverses.get(name) == name for name in names], dtype=pl.Boolean),
    )
    return kinds.join(relations, on="named", how="left")


def _choose_kinds(kinds: pl.DataFrame, config: UMLSConfig) -> pl.DataFrame:
    """Adds why the rows of a kind are dropped."""
    require_known("vocabulary (SAB)", config.sources, kinds["SAB"])
    require_known("kind of relation (REL)", config.relation_kinds, [*kinds["REL"], *_KINDS])
    require_known("relation (RELA)", config.relations, [*kinds["named"], *kinds["relation"]])
    reasons = [
        ("kind " + rel, pl.col("REL") == rel)
        for rel in kinds["REL"].unique().sort()
        if rel not in config.relation_kinds
    ]
    if config.sources:
        reasons.insert(0, ("source", ~pl.col("SAB").is_in(config.sources)))
    if not config.suppressed:
        reasons.append(("suppressed", pl.col("SUPPRESS") != "N"))
    if config.relations:
        wanted = kinds.filter(pl.col("named").is_in(config.relations))["relation"]
        either = pl.col("relation").is_in([*config.relations, *wanted])
        reasons.append(("relation", ~either))
    if not config.inside_concept:
        reasons.append(("inside one concept", pl.col("inside")))
    return mark_dropped(kinds, reasons)


def _relations(folder: Path) -> pl.DataFrame:
    """MRREL in memory, 17 bytes a row: the numbers of the two CUIs and the row's kind."""
    rows = scan_rrf(folder, "MRREL", ["CUI1", "CUI2", *_KIND])
    return rows.select(
        pl.col(_KIND).cast(_CODE),
        one=cui_number("CUI1"),
        two=cui_number("CUI2"),
        inside=pl.col("CUI1") == pl.col("CUI2"),
    ).collect(engine="streaming")


def _facts(relations: pl.DataFrame, used: pl.DataFrame, cuis: pl.Series) -> pl.DataFrame:
    """The used rows between concepts: `head` and `tail` (places in `cuis`), relation, source."""
    labels = used.select(
        pl.col(_KIND).cast(_CODE),
        "inside",
        "turned",
        "symmetric",
        relation=pl.col("relation").cast(_enumeration(used["relation"])),
        source=pl.col("SAB").cast(_enumeration(used["SAB"])),
    )
    rows = relations.lazy().join(labels.lazy(), on=[*_KIND, "inside"]).collect(engine="streaming")
    node = np.full(_NUMBERS + 1, -1, dtype=np.int32)
    node[cuis.to_frame("cui").select(cui_number("cui")).to_series().to_numpy()] = np.arange(
        len(cuis)
    )
    one, two = (node[rows[end].fill_null(_NUMBERS).to_numpy()] for end in ("one", "two"))
    # Row (1, 2) means 2 -> 1; a turned one 1 -> 2; a symmetric one goes from the lower number.
    forward = np.where(rows["symmetric"], one < two, rows["turned"])
    head, tail = np.where(forward, one, two), np.where(forward, two, one)
    facts = rows.select("relation", "source").with_columns(
        head=pl.Series(head), tail=pl.Series(tail)
    )
    return facts.filter(pl.Series((one >= 0) & (two >= 0)))


def _triplets(facts: pl.DataFrame, cuis: pl.Series, relations: pl.Series) -> pl.DataFrame:
    """Each fact once, with its sources, in the table's order; `relations` are the sorted names."""
    # One number a fact, so that sorting is cheap; nodes and relations are numbered in order.
    key = pl.col("head").cast(pl.Int64) * len(relations) + pl.col("relation").to_physical()
    rows = facts.select("source", fact=key * len(cuis) + pl.col("tail")).sort("fact", "source")
    again = pl.all_horizontal(pl.all() == pl.all().shift()).fill_null(False)
    merged = rows.filter(~again).group_by("fact", maintain_order=True).agg("source")
    single = pl.col("source").list.first().cast(pl.String)
    joined = pl.col("source").cast(pl.List(pl.String)).list.join("|")
    return merged.select(
        head=cuis.gather(merged["fact"] // (len(cuis) * len(relations))),
        relation=relations.gather(merged["fact"] // len(cuis) % len(relations)),
        tail=cuis.gather(merged["fact"] % len(cuis)),
        source=pl.when(pl.col("source").list.len() == 1).then(single).otherwise(joined),
    )


def _enumeration(values: pl.Series) -> pl.Enum:
    return pl.Enum(values.unique().sort())
