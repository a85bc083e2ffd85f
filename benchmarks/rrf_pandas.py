"""The job of `kg.umls` with pandas at its best: needed columns only, in chunks, categories."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import polars as pl

from benchmarks.rrf_folder import COLUMNS
from kg.tables import CONCEPTS, TRIPLETS

__all__ = ["build"]

KINDS = ["PAR", "CHD", "RB", "RN", "RO"]
CHUNK = 1_000_000


def build(folder: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Concepts and triplets as `kg.umls` makes them with its default config."""
    names, sources = _names(folder)
    for column, more in (
        ("semantic_types", _types(folder)),
        ("definition", _definitions(folder, sources)),
    ):
        names[column] = names["cui"].map(more)
    concepts = {
        "cui": names["cui"].tolist(),
        "name": names["name"].tolist(),
        "synonyms": names["synonyms"].tolist(),
        "semantic_types": [v if isinstance(v, list) else [] for v in names["semantic_types"]],
        "definition": names["definition"].astype(object).where(names["definition"].notna(), None),
    }
    facts = _facts(folder, names["cui"])
    columns = {column: facts[column].tolist() for column in TRIPLETS.names()}
    return pl.DataFrame(concepts, CONCEPTS), pl.DataFrame(columns, TRIPLETS)


def _chunks(folder: Path, name: str, columns: list[str], categories=()) -> Iterator[pd.DataFrame]:
    names = COLUMNS[name].split(",")
    yield from pd.read_csv(
        folder / name,
        sep="|",
        header=None,
        names=[*names, "end"],
        usecols=columns,
        dtype={c: "category" if c in categories else str for c in columns},
        quoting=3,
        keep_default_na=False,
        na_filter=False,
        chunksize=CHUNK,
        encoding="utf-8",
        lineterminator="\n",
    )


def _table(folder: Path, name: str, columns: list[str]) -> pd.DataFrame:
    return pd.concat(_chunks(folder, name, columns), ignore_index=True)


def _names(folder: Path) -> tuple[pd.DataFrame, set[str]]:
    ranks = _table(folder, "MRRANK.RRF", ["RANK", "SAB", "TTY"])
    worth = {(s, t): int(r) for r, s, t in ranks[["RANK", "SAB", "TTY"]].itertuples(index=False)}
    kinds = ["LAT", "TS", "STT", "ISPREF", "SAB", "TTY", "SUPPRESS"]
    parts = []
    for chunk in _chunks(folder, "MRCONSO.RRF", ["CUI", "STR", *kinds], kinds):
        english = chunk[chunk["LAT"] == "ENG"]
        pairs = english[["SAB", "TTY"]].drop_duplicates()
        table = pairs.assign(worth=[worth.get(p, 0) for p in pairs.itertuples(index=False)])
        ranked = english.merge(table, on=["SAB", "TTY"], how="left")
        rank = (
            (ranked["SUPPRESS"] != "N") * 80_000
            + (9_999 - ranked["worth"]) * 8
            + (ranked["TS"] != "P") * 4
            + (ranked["STT"] != "PF") * 2
            + (ranked["ISPREF"] != "Y")
        )
        parts.append(
            pd.DataFrame(
                {"cui": ranked["CUI"], "name": ranked["STR"], "rank": rank, "sab": ranked["SAB"]}
            )
        )
    atoms = pd.concat(parts, ignore_index=True).sort_values(["cui", "rank", "name"])
    first = atoms.drop_duplicates("cui")[["cui", "name"]]
    others = atoms[(atoms["rank"] < 80_000) & atoms["cui"].duplicated()]
    others = others.drop_duplicates(["cui", "name"]).merge(
        first, on=["cui", "name"], how="left", indicator=True
    )
    others = others[others["_merge"] == "left_only"]
    synonyms = others.groupby("cui", sort=False)["name"].agg(list)
    first = first.assign(synonyms=first["cui"].map(synonyms))
    first["synonyms"] = [value if isinstance(value, list) else [] for value in first["synonyms"]]
    return first, set(atoms["sab"].unique())


def _types(folder: Path) -> pd.Series:
    types = _table(folder, "MRSTY.RRF", ["CUI", "STY"]).sort_values(["CUI", "STY"])
    return types.groupby("CUI", sort=False)["STY"].agg(list)


def _definitions(folder: Path, sources: set[str]) -> pd.Series:
    rows = _table(folder, "MRDEF.RRF", ["CUI", "SAB", "DEF", "SUPPRESS"])
    rows = rows[rows["SAB"].isin(sources) & (rows["SUPPRESS"] == "N")]
    order = rows["SAB"].map({"MSH": 0, "NCI": 1, "SNOMEDCT_US": 2}).fillna(3)
    rows = rows.assign(order=order).sort_values(["CUI", "order", "SAB", "DEF"])
    return rows.drop_duplicates("CUI").set_index("CUI")["DEF"]


def _facts(folder: Path, cuis: pd.Series) -> pd.DataFrame:
    turned, symmetric = _inverses(folder)
    kinds = ["REL", "RELA", "SAB", "SUPPRESS"]
    parts = []
    for chunk in _chunks(folder, "MRREL.RRF", ["CUI1", "CUI2", *kinds], kinds):
        kept = chunk[
            chunk["REL"].isin(KINDS) & (chunk["SUPPRESS"] == "N") & (chunk["CUI1"] != chunk["CUI2"])
        ]
        kept = kept[kept["CUI1"].isin(cuis) & kept["CUI2"].isin(cuis)]
        rela = kept["RELA"].astype(str)
        relation = rela.where(rela != "", kept["REL"].astype(str))
        one, two = kept["CUI1"], kept["CUI2"]
        forward = relation.isin(turned) | (relation.isin(symmetric) & (one < two))
        head, tail = two.where(~forward, one), one.where(~forward, two)
        names = relation.replace(turned)
        part = {"head": head, "relation": names, "tail": tail, "source": kept["SAB"].astype(str)}
        parts.append(pd.DataFrame(part).drop_duplicates())
    keys = ["head", "relation", "tail"]
    facts = pd.concat(parts, ignore_index=True).drop_duplicates().sort_values([*keys, "source"])
    again = facts.duplicated(keys, keep=False)
    several = facts[again].groupby(keys, sort=False, as_index=False)["source"].agg("|".join)
    return pd.concat([facts[~again], several]).sort_values(keys)


def _inverses(folder: Path) -> tuple[dict[str, str], list[str]]:
    rows = _table(folder, "MRDOC.RRF", ["VALUE", "TYPE", "EXPL"])
    rows = rows[rows["TYPE"].isin(["rel_inverse", "rela_inverse"])]
    pairs = list(rows[["VALUE", "EXPL"]].itertuples(index=False, name=None))
    turned = {a: b for a, b in pairs if (len(b), b) < (len(a), a)}
    return turned, [a for a, b in pairs if a == b]
