"""KGX files become the graph that plain Python counts in them."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from kg.graph.tables import read_concepts, read_triplets
from kg.kgx import KGXCommand
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.kgx import read_kgx
from kg.sources.settings import KGXConfig

NODES: list[dict[str, Any]] = [
    {
        "id": "MOO:1",
        "category": ["biolink:Disease", "biolink:NamedThing"],
        "name": 'staggers "x',
        "synonym": ["grass tetany", "tetany"],
        "description": "A cow falls.",
        "xref": ["UMLS:C1"],
    },
    {"id": "MOO:2", "category": ["biolink:Drug"], "name": "moolin"},
    {"id": "MOO:2", "category": ["biolink:Drug"], "name": "Moolin"},
    {"id": "MOO:3", "category": [], "name": ""},
]
EDGES = [
    ("MOO:2", "biolink:treats", "MOO:1", "infores:moo", "False"),
    ("MOO:2", "biolink:treats", "MOO:1", "infores:vet", "False"),
    ("MOO:2", "biolink:causes", "MOO:1", "infores:moo", "True"),
    ("MOO:3", "RO:0002202", "MOO:1", "", ""),
    ("MOO:3", "biolink:treats", "X:1", "infores:moo", ""),
    ("MOO:3", "biolink:treats", "MOO:3", "infores:moo", ""),
]
FIELDS = ("subject", "predicate", "object", "primary_knowledge_source", "negated")


def write_tsv(folder: Path) -> None:
    header = ("id", "category", "name", "synonym", "description", "xref")
    rows = [header]
    for node in NODES:
        values = (node.get(name, "") for name in header)
        rows.append(tuple("|".join(v) if isinstance(v, list) else v for v in values))
    for name, table in (("x_nodes.tsv", rows), ("x_edges.tsv", [FIELDS, *EDGES])):
        (folder / name).write_text("".join("\t".join(row) + "\n" for row in table))


def write_json(folder: Path) -> None:
    edges: list[dict[str, Any]] = [dict(zip(FIELDS, edge, strict=True)) for edge in EDGES]
    for edge in edges:
        edge["negated"] = edge["negated"] == "True"
        edge["primary_knowledge_source"] = [edge["primary_knowledge_source"]]
    for name, rows in (("x_nodes.jsonl", NODES), ("x_edges.jsonl.gz", edges)):
        text = "".join(json.dumps(row) + "\n" for row in rows)
        data = text.encode()
        (folder / name).write_bytes(gzip.compress(data) if name.endswith("gz") else data)


@pytest.mark.parametrize("write", [write_tsv, write_json])
def test_both_formats_are_one_graph(tmp_path, write):
    write(tmp_path)
    concepts, triplets, files = read_kgx(tmp_path, KGXConfig())
    assert concepts.rows() == [
        (
            *("MOO:1", 'staggers "x', ["grass tetany", "tetany"]),
            *(["Disease", "NamedThing"], "A cow falls."),
        ),
        ("MOO:2", "moolin", ["Moolin"], ["Drug"], None),
        ("MOO:3", "MOO:3", [], [], None),
    ]
    assert triplets.rows() == [
        ("MOO:2", "treats", "MOO:1", "moo|vet"),
        ("MOO:3", "RO:0002202", "MOO:1", "KGX"),
    ]
    nodes, edges = files.values()
    assert nodes == {"read": 4, "dropped": {"same id": 1}, "kept": 3}
    dropped = {"negated": 1, "inside one concept": 1, "no concept at an end": 1, "same fact": 1}
    assert edges == {"read": len(EDGES), "dropped": dropped, "kept": 2}


def test_fields_that_may_be_missing(tmp_path):
    (tmp_path / "nodes.tsv").write_text("id\nA\nB\n")
    (tmp_path / "edges.tsv").write_text("subject\tpredicate\tobject\nA\tx\tB\n")
    concepts, triplets, _ = read_kgx(tmp_path, KGXConfig())
    assert concepts["name"].to_list() == ["A", "B"]
    assert triplets.rows() == [("A", "x", "B", "KGX")]


def test_a_field_that_may_not(tmp_path):
    write_tsv(tmp_path)
    (tmp_path / "x_edges.tsv").write_text("subject\tobject\nA\tB\n")
    with pytest.raises(InputError, match=r"x_edges\.tsv has no field 'predicate', only subject, o"):
        read_kgx(tmp_path, KGXConfig())


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"id": "MOO:9"', "line 5 is not JSON"),
        ("[1]", "line 5: expected a JSON object"),
        ('{"id": "a", "category": "b"}', "line 5: category is 'b', expected a list"),
    ],
)
def test_a_bad_line_is_named(tmp_path, monkeypatch, line, expected):
    monkeypatch.setattr("kg.sources.kgx._SEEN", 2)
    write_json(tmp_path)
    with (tmp_path / "x_nodes.jsonl").open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=rf"x_nodes\.jsonl {expected}"):
        read_kgx(tmp_path, KGXConfig())


def test_a_short_row_is_named(tmp_path):
    write_tsv(tmp_path)
    with (tmp_path / "x_edges.tsv").open("a") as file:
        file.write("MOO:1\tbiolink:treats\n")
    with pytest.raises(InputError, match=r"x_edges\.tsv line 8 has 2 fields, expected 5"):
        read_kgx(tmp_path, KGXConfig())


def test_packed_json_lines_that_cannot_be_read_are_named(tmp_path):
    write_json(tmp_path)
    (tmp_path / "x_nodes.jsonl").rename(tmp_path / "x_nodes.jsonl.zst")
    with pytest.raises(InputError, match=r"x_nodes\.jsonl\.zst: JSON lines are read plain or as"):
        read_kgx(tmp_path, KGXConfig())


def test_command(tmp_path):
    write_tsv(tmp_path)
    main(KGXCommand, ["--folder", str(tmp_path), "--out", str(tmp_path / "out")])
    assert read_concepts(tmp_path / "out/concepts.parquet").height == 3
    assert read_triplets(tmp_path / "out/triplets.parquet").height == 2
