"""Configuration of the readers of graphs in general layouts; layouts by name are in `LAYOUTS`.

It imports no reader, so that the Snakefile can validate a configuration in a moment.
"""

from typing import Any, Literal

from pydantic import Field, model_validator

from kg.shared.command import Section

__all__ = [
    "LAYOUTS",
    "PACKED",
    "EdgesTable",
    "KGXConfig",
    "MergeConfig",
    "NodesTable",
    "OBOConfig",
    "PairsTable",
    "RelationsTable",
    "TableConfig",
    "TableFiles",
]

FILES = (
    "names or patterns in the folder, also with .gz or .zst behind them; TSV, CSV or .parquet; "
    "those that are there are read"
)
PACKED = ("", ".gz", ".zst")
"""Endings of a file's name behind its own."""


class TableFiles(Section):
    """Files of equal columns."""

    files: tuple[str, ...]
    separator: str | None = Field(
        None,
        min_length=1,
        max_length=1,
        description='between columns; null: "," in a .csv, a TAB in others',
    )
    columns: tuple[str, ...] = Field(
        (), description="names of the first columns of files without a header; none: line 1 is one"
    )
    comment: str | None = Field(
        None, min_length=1, description="lines that begin with it are passed over"
    )
    path: str = Field(
        "",
        description="regular expression, such as `/(?P<relation>[a-z_]+)\\.tsv`; its named groups "
        "are columns that a file's path gives",
    )


class EdgesTable(TableFiles):
    """A fact a row; for a column may stand a text with columns in braces: "{source}:{id}"."""

    files: tuple[str, ...] = Field(("edges.tsv",), description=FILES)
    head: str = Field("head", description="id of what the fact is about")
    relation: str = Field("relation", description="what it says")
    tail: str = Field("tail", description="id of the other end")
    source: str | None = Field(None, description="where a fact comes from; null: the layout's name")
    head_name: str | None = Field(None, description="name of the head; null: its id")
    tail_name: str | None = Field(None, description="the same of the tail")
    head_type: str | None = Field(None, description="kind of the head; null: none")
    tail_type: str | None = Field(None, description="the same of the tail")


class NodesTable(TableFiles):
    """A concept a row; facts about others are dropped and counted. Columns as those of edges."""

    files: tuple[str, ...] = Field(("nodes.tsv",), description=FILES)
    id: str = Field("id", description="the concept as the edges name it")
    name: str = Field("name", description="its name; empty: the id")
    type: str | None = Field(None, description="its kind or kinds")
    synonyms: str | None = Field(None, description="other names")
    definition: str | None = Field(None, description="its definition")
    between: str = Field("|", min_length=1, description="what stands between kinds, and synonyms")


class RelationsTable(TableFiles):
    """Names of relations that the edges have as numbers or codes."""

    files: tuple[str, ...] = Field(("relations.tsv",), description=FILES)
    id: str = Field("id", description="the relation as the edges name it")
    name: str = Field("name", description="its name")


class TableConfig(Section):
    """`kg.table`: facts and concepts in tables."""

    layout: Literal["primekg", "hetionet", "openbiolink", "pykeen", "ogb"] | None = Field(
        None,
        description="a published layout, changed by the other keys; null: your own tables",
    )
    edges: EdgesTable = Field(EdgesTable(), description="the facts")
    nodes: NodesTable | None = Field(
        None, description="the concepts; null: every id that a fact has is one"
    )
    relations: RelationsTable | None = Field(
        None, description="names of relations; null: as the edges have them"
    )
    rename: dict[str, str] = Field({}, description="names for some relations, by those they have")
    mirrored: bool = Field(
        False,
        description="each fact stands in both directions: the one that comes first is kept",
    )

    @model_validator(mode="before")
    @classmethod
    def _over_its_layout(cls, values: Any) -> Any:
        if not isinstance(values, dict):
            return values
        return _over(LAYOUTS.get(values.get("layout") or "", {}), values)


class PairsTable(TableFiles):
    """Ids that name the same concept, a pair a row, as in a table of SSSOM."""

    files: tuple[str, ...] = Field(("*.sssom.tsv",), description=FILES)
    comment: str | None = Field("#", description="lines that begin with it are passed over")
    one: str = Field("subject_id", description="an id")
    other: str = Field("object_id", description="another id of the same concept")


class MergeConfig(Section):
    """`kg.merge`: several graphs become one."""

    graphs: tuple[str, ...] = Field(
        (),
        description="folders in the folder, each with a graph's concepts.parquet and "
        "triplets.parquet; names and ids of the first go before those of the others",
    )
    pairs: PairsTable | None = Field(
        None, description="which ids are one concept; null: those that are equal"
    )


class KGXConfig(Section):
    """`kg.kgx`: the files of a graph in the KGX format; those that are there are read."""

    nodes: tuple[str, ...] = Field(
        ("*nodes.tsv", "*nodes.jsonl"), description="names or patterns in the folder, of nodes"
    )
    edges: tuple[str, ...] = Field(
        ("*edges.tsv", "*edges.jsonl"), description="names or patterns in the folder, of edges"
    )


class OBOConfig(Section):
    """`kg.obo`: which terms of ontologies become concepts."""

    files: tuple[str, ...] = Field(
        ("*.obo",),
        description="names or patterns in the folder: OBO, or OBO Graphs as .json; several "
        "ontologies become one graph",
    )
    prefixes: tuple[str, ...] = Field(
        (), description="only terms whose id has one of them (MONDO, HP); none: all terms"
    )
    umls: bool = Field(
        False,
        description="a term's id is the UMLS CUI among its cross references, where it has one "
        "alone and no other term has it",
    )


def _over(layout: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    """The values, at any depth, over those of a layout."""
    both = {
        key: _over(layout[key], value)
        for key, value in values.items()
        if isinstance(value, dict) and isinstance(layout.get(key), dict)
    }
    return {**layout, **values, **both}


_METAEDGES = {
    "AdG": "anatomy_downregulates_gene",
    "AeG": "anatomy_expresses_gene",
    "AuG": "anatomy_upregulates_gene",
    "CbG": "compound_binds_gene",
    "CcSE": "compound_causes_side_effect",
    "CdG": "compound_downregulates_gene",
    "CpD": "compound_palliates_disease",
    "CrC": "compound_resembles_compound",
    "CtD": "compound_treats_disease",
    "CuG": "compound_upregulates_gene",
    "DaG": "disease_associates_gene",
    "DdG": "disease_downregulates_gene",
    "DlA": "disease_localizes_anatomy",
    "DpS": "disease_presents_symptom",
    "DrD": "disease_resembles_disease",
    "DuG": "disease_upregulates_gene",
    "GcG": "gene_covaries_gene",
    "GiG": "gene_interacts_gene",
    "GpBP": "gene_participates_biological_process",
    "GpCC": "gene_participates_cellular_component",
    "GpMF": "gene_participates_molecular_function",
    "GpPW": "gene_participates_pathway",
    "Gr>G": "gene_regulates_gene",
    "PCiC": "pharmacologic_class_includes_compound",
}
"""https://github.com/hetio/hetionet, describe/edges/metaedges.tsv."""

LAYOUTS: dict[str, dict[str, Any]] = {
    # https://github.com/mims-harvard/PrimeKG
    "primekg": {
        "edges": {
            "files": ["kg.csv"],
            "head": "{x_source}:{x_id}",
            "tail": "{y_source}:{y_id}",
            "head_name": "x_name",
            "tail_name": "y_name",
            "head_type": "x_type",
            "tail_type": "y_type",
        },
        "mirrored": True,
    },
    # https://github.com/hetio/hetionet/tree/main/hetnet/tsv
    "hetionet": {
        "edges": {
            "files": ["*edges.sif"],
            "head": "source",
            "relation": "metaedge",
            "tail": "target",
        },
        "nodes": {"files": ["*nodes.tsv"], "type": "kind"},
        "rename": _METAEDGES,
    },
    # https://openbiolink.readthedocs.io/en/latest/tutorial/graph_generation.html
    "openbiolink": {
        "edges": {
            "files": ["edges.csv", "train_sample.csv", "val_sample.csv", "test_sample.csv"],
            "separator": "\t",
            "columns": ["head", "relation", "tail"],
        },
        "nodes": {
            "files": ["nodes.csv", "train_val_nodes.csv", "test_nodes.csv"],
            "separator": "\t",
            "columns": ["id", "type"],
            "name": "id",
            "type": "type",
        },
    },
    # https://pykeen.readthedocs.io/en/stable/reference/datasets.html
    "pykeen": {
        "edges": {
            "files": ["train.txt", "valid.txt", "test.txt"],
            "columns": ["head", "relation", "tail"],
        },
    },
    # https://ogb.stanford.edu/docs/linkprop/#ogbl-biokg
    "ogb": {
        "edges": {
            "files": ["raw/relations/*/edge.csv"],
            "columns": ["from", "to"],
            "path": "relations/(?P<head_type>.+?)___(?P<relation>.+)___(?P<tail_type>.+)/",
            "head": "{head_type}:{from}",
            "tail": "{tail_type}:{to}",
        },
        "nodes": {
            "files": ["mapping/*_entidx2name.csv"],
            "path": "mapping/(?P<type>.+)_entidx2name",
            "id": "{type}:{ent idx}",
            "name": "ent name",
            "type": "type",
        },
    },
}
"""Values of a `TableConfig` by the layout's name."""
