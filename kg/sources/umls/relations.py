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
from kg.graph.numbering import Numbering
from kg.graph.tables import PARENT_RELATIONS
from kg.shared.lines import require_known
from kg.sources.numbered import check_room, triplets_of
from kg.sources.summary import Summary, file_rows
from kg.sources.umls.kinds import ROWS, count_dropped, count_rows, mark_dropped
from kg.sources.umls.rrf import CODE, find_rrf, scan_rrf

__all__ = ["inverse_relations", "kept_direction", "umls_triplets"]

REL_INVERSES = {"PAR": "CHD", "RB": "RN", "AQ": "QB"}
"""Kinds (REL) whose inverse is another kind."""

_SYMMETRIC = ("RO", "SIB", "SY", "RQ", "RL", "RU", "XR")
_KINDS = (*REL_INVERSES, *REL_INVERSES.values(), *_SYMMETRIC, "DEL")
_CODES = ["REL", "RELA", "SAB"]
_KIND = [*_CODES, "suppressed", "inside"]

log = logging.getLogger(__name__)


def umls_triplets(
    folder: Path, concepts: pl.DataFrame, config: UMLSConfig
) -> tuple[pl.DataFrame, Summary]:
    """Triplets in the order of `kg.graph.tables`, each once, and what became of MRREL's rows."""
    numbering = Numbering(concepts["cui"])
    relations = _relations(folder, numbering)
    kinds = count_rows(relations.lazy(), _KIND).cast(dict.fromkeys(_CODES, pl.String))
    kinds = _choose_kinds(_name_kinds(kinds, folder), config)
    used = kinds.filter(pl.col("dropped").is_null())
    names = [used[column].unique().sort() for column in ("relation", "SAB")]
    check_room(concepts.height, *map(len, names))
    # A full release has 50 million rows: what is not needed any more makes room for the next step.
    node = numbering.places(concepts["cui"])
    facts = pl.Series(_facts(relations, used, node, names))
    del relations
    facts = facts.sort()
    triplets = triplets_of(facts.to_numpy(), concepts["cui"], (names[0], names[1]))
    dropped = count_dropped(kinds)
    dropped["no concept at an end"] = int(used[ROWS].sum()) - len(facts)
    dropped["same fact"] = len(facts) - triplets.height
    return triplets, file_rows(int(kinds[ROWS].sum()), dropped, triplets.height)


def inverse_relations(folder: Path, names: Iterable[str]) -> dict[str, str]:
    """The inverse of each relation that has one (its own name where it is symmetric).

    By MRDOC, where a name's own entry counts before those that give it as theirs. Without it by the
    kinds' meaning and by names: inverse_X and X, has_X and X_of, X and X_by. A name without a known
    inverse is not in the result.
    """
    if find_rrf(folder, "MRDOC") is not None:
        pairs = scan_rrf(folder, "MRDOC", ["VALUE", "TYPE", "EXPL"])
        inverse = pl.col("TYPE").is_in(["rel_inverse", "rela_inverse"])
        rows = pairs.filter(inverse & (pl.col("EXPL") != "")).select("VALUE", "EXPL").collect()
        return dict(rows.select("EXPL", "VALUE").iter_rows()) | dict(rows.iter_rows())
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
    # That the sources are known was checked where their names are: some have no relations.
    require_known("kind of relation (REL)", config.relation_kinds, [*kinds["REL"], *_KINDS])
    require_known("relation (RELA)", config.relations, [*kinds["named"], *kinds["relation"]])
    reasons = []
    if config.sources:
        reasons.append(("source", ~pl.col("SAB").is_in(config.sources)))
    if config.relation_kinds:
        other = set(kinds["REL"]) - set(config.relation_kinds)
        reasons += [("kind " + rel, pl.col("REL") == rel) for rel in sorted(other)]
    if not config.suppressed:
        reasons.append(("suppressed", pl.col("suppressed")))
    if config.relations:
        wanted = kinds.filter(pl.col("named").is_in(config.relations))["relation"]
        either = pl.col("relation").is_in([*config.relations, *wanted])
        reasons.append(("relation", ~either))
    inside = pl.col("inside")
    if config.inside_concept:  # No concept is its own parent.
        inside &= pl.col("relation").is_in(PARENT_RELATIONS)
    reasons.append(("inside one concept", inside))
    return mark_dropped(kinds, reasons)


def _relations(folder: Path, numbering: Numbering) -> pl.DataFrame:
    """MRREL in memory, 15 bytes a row: the numbers of the two concepts and the row's kind."""
    rows = scan_rrf(folder, "MRREL", ["CUI1", "CUI2", *_CODES, "SUPPRESS"], _CODES)
    return rows.select(
        *_CODES,
        suppressed=pl.col("SUPPRESS") != "N",
        one=numbering.number("CUI1"),
        two=numbering.number("CUI2"),
        inside=pl.col("CUI1") == pl.col("CUI2"),
    ).collect(engine="streaming")


def _facts(
    relations: pl.DataFrame, used: pl.DataFrame, node: np.ndarray, names: list[pl.Series]
) -> np.ndarray:
    """The used rows between concepts, one number each, in the order of the triplets' table.

    The number holds head, relation, tail, source: `node` of a concept's number, -1 for one that is
    not kept, and places in `names[0]` and `names[1]`.
    """
    labels = used.select(
        pl.col(_CODES).cast(CODE),
        "suppressed",
        "inside",
        "turned",
        "symmetric",
        relation=_places(used["relation"], names[0]),
        source=_places(used["SAB"], names[1]),
    )
    rows = relations.lazy().join(labels.lazy(), on=_KIND).collect(engine="streaming")
    one, two = (node[rows[end].to_numpy()] for end in ("one", "two"))
    # Row (1, 2) means 2 -> 1; a turned one 1 -> 2; a symmetric one goes from the lower number.
    forward = np.where(rows["symmetric"], one < two, rows["turned"])
    number = np.where(forward, one, two).astype(np.int64)
    for place, count in (
        (rows["relation"], len(names[0])),
        (np.where(forward, two, one), int(node.max()) + 1),
        (rows["source"], len(names[1])),
    ):
        number *= count
        number += np.asarray(place)
    return number[(one >= 0) & (two >= 0)]


def _places(values: pl.Series, ordered: pl.Series) -> pl.Series:
    return values.cast(pl.Enum(ordered)).to_physical()
