"""The job of `kg.umls` with pandas at its best: needed columns only, in chunks, categories."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl

from benchmarks.rrf_folder import COLUMNS
from kg.graph.tables import CONCEPTS, TRIPLETS

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
    sources: set[str] = set()
    parts = []
    for chunk in _chunks(folder, "MRCONSO.RRF", ["CUI", "STR", *kinds], kinds):
        english = chunk[chunk["LAT"] == "ENG"]
        sab, tty = english["SAB"].cat, english["TTY"].cat
        table = np.array([[worth.get((s, t), 0) for t in tty.categories] for s in sab.categories])
        rank = (
            (english["SUPPRESS"] != "N") * 80_000
            + (9_999 - table[sab.codes, tty.codes]) * 8
            + (english["TS"] != "P") * 4
            + (english["STT"] != "PF") * 2
            + (english["ISPREF"] != "Y")
        )
        part = {"cui": english["CUI"], "name": english["STR"], "rank": rank}
        parts.append(pd.DataFrame(part))
        sources |= set(english["SAB"].unique())
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
    return first, sources


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
    nodes = pd.Index(cuis)
    relations: dict[str, int] = {}
    sources: dict[str, int] = {}
    parts = []
    for chunk in _chunks(folder, "MRREL.RRF", ["CUI1", "CUI2", *kinds], kinds):
        kept = chunk[chunk["REL"].isin(KINDS) & (chunk["SUPPRESS"] == "N")]
        one, two = nodes.get_indexer(kept["CUI1"]), nodes.get_indexer(kept["CUI2"])
        between = (one >= 0) & (two >= 0) & (one != two)
        kept, one, two = kept[between], one[between], two[between]
        # Few names, many rows: names are looked up once a category, rows by their codes.
        rel, rela = kept["REL"].cat, kept["RELA"].cat
        named = np.where(kept["RELA"] == "", rel.codes.to_numpy(int), -1 - rela.codes.to_numpy(int))
        names = {i: name for i, name in enumerate(rel.categories)}
        names |= {-1 - i: name for i, name in enumerate(rela.categories) if name}
        relation = np.zeros(len(names) + 2, dtype=np.int64)
        forward = np.zeros(len(names) + 2, dtype=np.int64)
        for code, name in names.items():
            relation[code] = relations.setdefault(turned.get(name, name), len(relations))
            forward[code] = 2 if name in symmetric else name in turned
        way = forward[named]
        turn = np.where(way == 2, one < two, way == 1)
        source = kept["SAB"].cat
        number = np.array([sources.setdefault(s, len(sources)) for s in source.categories])
        columns = {
            "head": np.where(turn, one, two),
            "relation": relation[named],
            "tail": np.where(turn, two, one),
            "source": number[source.codes],
        }
        parts.append(pd.DataFrame(columns).drop_duplicates())
    facts = pd.concat(parts, ignore_index=True).drop_duplicates()
    return _named(facts, cuis.to_numpy(), list(relations), list(sources))


def _named(
    facts: pd.DataFrame, cuis: np.ndarray, relations: list[str], sources: list[str]
) -> pd.DataFrame:
    keys = ["head", "relation", "tail"]
    order = np.argsort(np.argsort(relations))
    facts["relation"] = order[facts["relation"]]
    facts["source"] = np.argsort(np.argsort(sources))[facts["source"]]
    facts = facts.sort_values([*keys, "source"])
    facts["source"] = np.array(sorted(sources), dtype=object)[facts["source"]]
    again = facts.duplicated(keys, keep=False)
    several = facts[again].groupby(keys, sort=False, as_index=False)["source"].agg("|".join)
    facts = pd.concat([facts[~again], several]).sort_values(keys)
    facts["head"], facts["tail"] = cuis[facts["head"]], cuis[facts["tail"]]
    facts["relation"] = np.array(sorted(relations), dtype=object)[facts["relation"]]
    return facts


def _inverses(folder: Path) -> tuple[dict[str, str], list[str]]:
    rows = _table(folder, "MRDOC.RRF", ["VALUE", "TYPE", "EXPL"])
    rows = rows[rows["TYPE"].isin(["rel_inverse", "rela_inverse"])]
    pairs = list(rows[["VALUE", "EXPL"]].itertuples(index=False, name=None))
    turned = {a: b for a, b in pairs if (len(b), b) < (len(a), a)}
    return turned, [a for a, b in pairs if a == b]
