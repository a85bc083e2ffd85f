"""MRCONSO, MRSTY and MRDEF to the table of concepts.

A concept's name is the best of its atoms by suppression, language and the release's own ranking of
sources and term types (MRRANK), then by the flags TS, STT and ISPREF. Atoms are ranked, never
filtered down to preferred ones: one or two concepts in a hundred have only suppressed ones.
"""

import logging
from pathlib import Path

import numpy as np
import polars as pl

from kg.config import UMLSConfig
from kg.graph.numbering import Numbering
from kg.graph.tables import CONCEPTS
from kg.shared.errors import InputError
from kg.shared.lines import numbered_lines, require_known
from kg.sources.summary import Summary, file_rows
from kg.sources.umls.kinds import ROWS, count_dropped, count_rows, mark_dropped
from kg.sources.umls.rrf import CODE, find_rrf, scan_rrf

__all__ = ["read_vocabulary", "umls_concepts"]

_CODES = ["LAT", "SAB", "TTY"]
_KIND = [*_CODES, "suppressed", "blank"]
_FLAGS = {"TS": "P", "STT": "PF", "ISPREF": "Y"}
"""Values of a preferred atom."""
_NO_TYPES = pl.Schema({"CUI": pl.UInt32(), "semantic_types": pl.List(CODE), "chosen": pl.Boolean()})

log = logging.getLogger(__name__)


def umls_concepts(folder: Path, config: UMLSConfig) -> tuple[pl.DataFrame, Summary]:
    """Concepts in the order of `kg.graph.tables`, and what became of the rows and the concepts."""
    atoms = _atoms(folder)
    numbering = Numbering(atoms["CUI"])
    kinds = count_rows(atoms.lazy(), _KIND).cast(dict.fromkeys(_CODES, pl.String))
    kinds = _rank_kinds(kinds, folder, config)
    used = kinds.filter(pl.col("dropped").is_null())
    names = _names(atoms, numbering, used, config.suppressed)
    del atoms  # A full release has 18 million names: the relations need the room.
    rows = _row_counts(kinds, names, config.suppressed)
    # Beside the names, not to them: a join would copy all synonyms.
    more = names.select(numbering.number("CUI"))
    for table in (_types(folder, numbering, config), _definitions(folder, numbering, config, used)):
        more = more.join(table, on="CUI", how="left", maintain_order="left")
    concepts, dropped = _choose(names.hstack(more.drop("CUI")), config)
    summary = {
        "MRCONSO.RRF": rows,
        "concepts": file_rows(names.height, dropped, concepts.height),
    }
    types = pl.col("semantic_types").cast(pl.List(pl.String)).fill_null([])
    columns = concepts.rename({"CUI": "cui"}).with_columns(types)
    return columns.select(CONCEPTS.names()), summary


def _atoms(folder: Path) -> pl.DataFrame:
    """MRCONSO in memory: CUI, STR, the row's kind, `flags` (lower is better)."""
    rows = scan_rrf(folder, "MRCONSO", ["CUI", "STR", *_CODES, "SUPPRESS", *_FLAGS], _CODES)
    ts, stt, ispref = [(pl.col(flag) != best).cast(pl.UInt8) for flag, best in _FLAGS.items()]
    return rows.select(
        "CUI",
        "STR",
        *_CODES,
        suppressed=pl.col("SUPPRESS") != "N",
        blank=pl.col("STR").str.strip_chars() == "",
        flags=ts * 4 + stt * 2 + ispref,
    ).collect(engine="streaming")


def _rank_kinds(kinds: pl.DataFrame, folder: Path, config: UMLSConfig) -> pl.DataFrame:
    """The kinds of atoms with the reason they are dropped, or their rank (lower is better)."""
    for what, column, wanted in (
        ("vocabulary (SAB)", "SAB", config.sources),
        ("language (LAT)", "LAT", config.languages),
        ("term type (TTY)", "TTY", config.term_types),
    ):
        require_known(what, wanted, kinds[column])
    reasons = [
        (reason, ~pl.col(column).is_in(wanted))
        for reason, column, wanted in (
            ("source", "SAB", config.sources),
            ("language", "LAT", config.languages),
            ("term type", "TTY", config.term_types),
        )
        if wanted
    ]
    reasons.append(("blank name", pl.col("blank")))
    languages = {language: i for i, language in enumerate(config.languages)}
    kinds = kinds.join(_source_ranks(folder), on=["SAB", "TTY"], how="left").with_columns(
        language=pl.col("LAT").replace_strict(languages, default=len(languages)),
        worth=-pl.col("worth").fill_null(0),
    )
    order = pl.struct("suppressed", "language", "worth").rank("dense").cast(pl.UInt32)
    return mark_dropped(kinds.with_columns(rank=order), reasons)


def _source_ranks(folder: Path) -> pl.DataFrame:
    """SAB, TTY and `worth`, higher is better; empty without MRRANK."""
    if find_rrf(folder, "MRRANK") is None:
        log.info("%s has no MRRANK.RRF: names are ranked by TS, STT and ISPREF only", folder)
        return pl.DataFrame(schema={"SAB": pl.String, "TTY": pl.String, "worth": pl.Int64})
    ranks = scan_rrf(folder, "MRRANK", ["RANK", "SAB", "TTY"])
    worth = pl.col("RANK").cast(pl.Int64, strict=False).max().alias("worth")
    return ranks.group_by("SAB", "TTY").agg(worth).collect()


def _names(
    atoms: pl.DataFrame, numbering: Numbering, kinds: pl.DataFrame, suppressed: bool
) -> pl.DataFrame:
    """CUI, name, synonyms; whether the name is a suppressed one."""
    ranks = kinds.lazy().select(pl.col(_CODES).cast(CODE), "suppressed", "blank", "rank")
    # One number by concept and rank: a sort of integers, several times cheaper than one of rows.
    number = numbering.number("CUI").cast(pl.UInt64)
    ranked = (
        atoms.lazy()
        .join(ranks, on=_KIND)
        .select(
            "CUI", "STR", "suppressed", order=number * 2**32 + pl.col("rank") * 8 + pl.col("flags")
        )
        .sort("order")
        .collect(engine="streaming")
    )
    shown = pl.col("STR") if suppressed else pl.col("STR").filter(~pl.col("suppressed"))
    # Suppressed atoms rank last, so the name is the first shown one, or nothing is shown.
    names = (
        _sort_ties(ranked)
        .with_columns(number=(pl.col("order") // 2**32).set_sorted())
        .group_by("number", maintain_order=True)
        .agg(
            pl.col("CUI").first(),
            pl.col("STR").first().alias("name"),
            shown.unique(maintain_order=True).alias("synonyms"),
            pl.col("suppressed").first(),
        )
        .with_columns(pl.col("synonyms").list.slice(1))
        .drop("number")
    )
    if blank := (names["CUI"].str.strip_chars() == "").sum():
        raise InputError(
            f"MRCONSO has {blank} blank concept ids (CUI), expected one in every row; "
            "copy or download it again"
        )
    # The numbers' order is that of the ids where all are CUIs.
    return names if names["CUI"].is_sorted() else names.sort("CUI")


def _sort_ties(ranked: pl.DataFrame) -> pl.DataFrame:
    """Atoms of a concept that rank alike, which are few, in the order of their names."""
    order = pl.col("order")
    tied = ranked.with_row_index("place").filter(
        (order == order.shift()) | (order == order.shift(-1))
    )
    place = np.arange(ranked.height, dtype=np.uint32)
    place[tied["place"].to_numpy()] = tied.sort("order", "STR")["place"].to_numpy()
    return ranked.with_columns(pl.col("STR").gather(place))


def _row_counts(kinds: pl.DataFrame, names: pl.DataFrame, suppressed: bool) -> Summary:
    """Of MRCONSO: a kept row is the name or a synonym of a concept."""
    dropped = count_dropped(kinds)
    used = kinds.filter(pl.col("dropped").is_null())
    kept = names.height + int(names["synonyms"].list.len().sum())
    last_resort = 0
    if not suppressed:
        last_resort = int(names["suppressed"].sum())
        dropped["suppressed"] = int(used.filter("suppressed")[ROWS].sum()) - last_resort
    dropped["same name"] = int(used[ROWS].sum()) - dropped.get("suppressed", 0) - kept
    read = int(kinds[ROWS].sum())
    return {**file_rows(read, dropped, kept), "names_only_suppressed": last_resort}


def _types(folder: Path, numbering: Numbering, config: UMLSConfig) -> pl.DataFrame:
    """CUI (number), semantic_types (names, sorted), chosen (whether the config asks for one)."""
    if find_rrf(folder, "MRSTY") is None and not config.semantic_types:
        log.warning("%s has no MRSTY.RRF: concepts have no semantic types", folder)
        return pl.DataFrame(schema=_NO_TYPES)
    scanned = scan_rrf(folder, "MRSTY", ["CUI", "TUI", "STY"], ["TUI", "STY"])
    rows = scanned.collect(engine="streaming").lazy()  # Read once, small enough to hold.
    kinds = count_rows(rows, ["TUI", "STY"]).cast({"TUI": pl.String, "STY": pl.String})
    require_known("semantic type", config.semantic_types, [*kinds["TUI"], *kinds["STY"]])
    wanted = config.semantic_types or kinds["TUI"].to_list()
    chosen = pl.col("TUI").is_in(wanted) | pl.col("STY").is_in(wanted)
    # Sorting first is several times cheaper than sorting within each group.
    return (
        rows.group_by(numbering.number("CUI"), "STY")
        .agg(chosen=chosen.any())
        .sort("CUI", "STY")
        .group_by("CUI", maintain_order=True)
        .agg(semantic_types="STY", chosen=pl.col("chosen").any())
        .collect(engine="streaming")
    )


def _choose(concepts: pl.DataFrame, config: UMLSConfig) -> tuple[pl.DataFrame, dict[str, int]]:
    """The concepts of the chosen semantic types and vocabulary; how many were dropped for each."""
    dropped = {}
    if config.semantic_types:
        kept = concepts.filter(pl.col("chosen").fill_null(False))
        dropped["semantic type"] = concepts.height - kept.height
        concepts = kept
    if config.vocabulary is not None:
        vocabulary = read_vocabulary(config.vocabulary)
        kept = concepts.filter(pl.col("CUI").is_in(vocabulary.implode()))
        dropped["vocabulary"] = concepts.height - kept.height
        missing = len(vocabulary) - kept.height
        log.info("%d of %d CUIs of %s are not found", missing, len(vocabulary), config.vocabulary)
        concepts = kept
    if not concepts.height:
        raise InputError(f"no concept is left (dropped: {dropped}); choose more in the config")
    return concepts, dropped


def _definitions(
    folder: Path, numbering: Numbering, config: UMLSConfig, kinds: pl.DataFrame
) -> pl.DataFrame:
    """CUI (number), definition: the first by source preference, of the kept kinds' sources."""
    if find_rrf(folder, "MRDEF") is None:
        log.info("%s has no MRDEF.RRF: concepts have no definitions", folder)
        return pl.DataFrame(schema={"CUI": pl.UInt32, "definition": pl.String})
    rows = scan_rrf(folder, "MRDEF", ["CUI", "SAB", "DEF", "SUPPRESS"])
    # Of the default ones a release may lack some; what was added by hand has to be there.
    added = [sab for sab in config.definition_sources if sab not in UMLSConfig().definition_sources]
    if added:
        require_known("source of definitions (SAB)", added, count_rows(rows, ["SAB"])["SAB"])
    # MRDEF has no language; that of a source is the language of its names.
    sources = kinds["SAB"].unique().implode()
    preferred = {source: i for i, source in enumerate(config.definition_sources)}
    chosen = pl.col("SAB").is_in(sources)
    if not config.suppressed:
        chosen &= pl.col("SUPPRESS") == "N"
    return (
        rows.filter(chosen)
        .with_columns(
            numbering.number("CUI"),
            rank=pl.col("SAB").replace_strict(preferred, default=len(preferred)),
        )
        .sort("CUI", "rank", "SAB", "DEF")
        .group_by("CUI", maintain_order=True)
        .agg(definition=pl.col("DEF").first())
        .collect(engine="streaming")
    )


def read_vocabulary(path: Path) -> pl.Series:
    """The distinct CUIs of a list: one a line, what follows a TAB does not count."""
    lines = numbered_lines(
        path,
        "put the list of CUIs there, name another, or none (null: all; docs/how-to/umls.md)",
    )
    cuis = pl.Series("CUI", [line.split("\t")[0].strip() for _, line in lines], pl.String)
    return cuis.filter(cuis != "").unique().sort()
