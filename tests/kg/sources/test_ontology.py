"""Ontologies become the graph that their stanzas mean."""

import json
from pathlib import Path
from typing import Any

import pytest

from kg.graph.tables import read_concepts, read_triplets
from kg.obo import OBOCommand
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.ontology import read_ontologies
from kg.sources.settings import OBOConfig

MOO = """format-version: 1.2
ontology: moo

[Term]
id: MOO:1
name: cow
namespace: animal
alt_id: MOO:9
def: "It moos." [a:b]
synonym: "heifer" EXACT []
synonym: "beast" BROAD []
xref: UMLS:C0000001
is_a: MOO:2 ! animal
relationship: RO:1 MOO:3 {source="x"} ! egg
relationship: part_of PATO:1 ! elsewhere

[Term]
id: MOO:2
name: animal
xref: UMLS:C0000002
xref: UMLS:C0000003

[Term]
id: MOO:3
name: egg
is_a: MOO:9

[Term]
id: MOO:4
name: obsolete beast
is_obsolete: true

[Term]
id: PATO:1

[Typedef]
id: RO:1
name: develops from
"""


@pytest.fixture
def read(tmp_path: Path) -> Any:
    (tmp_path / "moo.obo").write_text(MOO)

    def of_the_folder(**config: Any) -> Any:
        return read_ontologies(tmp_path, OBOConfig(**config))

    return of_the_folder


def test_terms_and_their_relations(read):
    concepts, triplets, files = read()
    assert concepts.rows() == [
        ("MOO:1", "cow", ["heifer"], ["animal"], "It moos."),
        ("MOO:2", "animal", [], ["MOO"], None),
        ("MOO:3", "egg", [], ["MOO"], None),
    ]
    assert triplets.rows() == [
        ("MOO:1", "develops_from", "MOO:3", "moo"),
        ("MOO:1", "is_a", "MOO:2", "moo"),
        ("MOO:3", "is_a", "MOO:1", "moo"),
    ]
    assert files == {
        "moo.obo": {"read": 5, "dropped": {"obsolete": 1, "no name": 1}, "kept": 3},
        "is_a and relationships": {"read": 4, "dropped": {"no concept at an end": 1}, "kept": 3},
    }


def test_cuis_are_keys_on_request_where_they_are_clear(read):
    concepts, triplets, _ = read(umls=True)
    assert concepts["cui"].to_list() == ["C0000001", "MOO:2", "MOO:3"]
    assert ("MOO:3", "is_a", "C0000001", "moo") in triplets.rows()


def test_terms_of_several_files_are_one_graph(read, tmp_path):
    more = "[Term]\nid: MOO:1\nname: Cow\nis_a: PATO:1\n\n[Term]\nid: PATO:1\nname: quality\n"
    (tmp_path / "pato.obo").write_text("format-version: 1.2\n\n" + more)
    concepts, triplets, files = read()
    assert concepts.filter(cui="MOO:1")["synonyms"].to_list() == [["Cow", "heifer"]]
    assert ("MOO:1", "part_of", "PATO:1", "moo") in triplets.rows()
    assert ("MOO:1", "is_a", "PATO:1", "pato") in triplets.rows()
    dropped = {"obsolete": 1, "no name": 1, "same id": 1}
    assert files["moo.obo, pato.obo"] == {"read": 7, "dropped": dropped, "kept": 4}


def test_only_terms_of_a_prefix(read, tmp_path):
    (tmp_path / "moo.obo").write_text(MOO.replace("[Term]\nid: MOO:3", "[Term]\nid: EGG:3"))
    concepts, _, files = read(prefixes=("MOO",))
    assert concepts["cui"].to_list() == ["MOO:1", "MOO:2"]
    assert files["moo.obo"]["dropped"] == {"obsolete": 1, "no name": 1, "other prefix": 1}


def test_obo_graphs(tmp_path):
    base = "http://purl.obolibrary.org/obo/"
    nodes = [
        {"id": base + "MOO_1", "lbl": "cow", "type": "CLASS"},
        {"id": base + "MOO_2", "lbl": "animal", "type": "CLASS"},
        {"id": base + "MOO_4", "lbl": "obsolete", "type": "CLASS", "meta": {"deprecated": True}},
        {"id": base + "BFO_0000050", "lbl": "part of", "type": "PROPERTY"},
    ]
    nodes[0]["meta"] = {
        "definition": {"val": "It moos.", "xrefs": []},
        "synonyms": [{"pred": "hasExactSynonym", "val": "heifer", "xrefs": []}],
    }
    links = [("is_a", "MOO_2"), (base + "BFO_0000050", "MOO_2")]
    edges = [{"sub": base + "MOO_1", "pred": pred, "obj": base + obj} for pred, obj in links]
    graph = {"id": base + "moo.owl", "nodes": nodes, "edges": edges}
    (tmp_path / "moo.json").write_text(json.dumps({"graphs": [graph]}))
    concepts, triplets, files = read_ontologies(tmp_path, OBOConfig(files=("moo.json",)))
    assert concepts.rows()[0] == ("MOO:1", "cow", ["heifer"], ["MOO"], "It moos.")
    assert triplets.rows() == [
        ("MOO:1", "is_a", "MOO:2", "moo"),
        ("MOO:1", "part_of", "MOO:2", "moo"),
    ]
    assert files["moo.json"] == {"read": 3, "dropped": {"obsolete": 1}, "kept": 2}


@pytest.mark.parametrize("text", ["{", '{"graphs": []}', "[Term]\n"])
def test_json_that_is_no_obo_graph(tmp_path, text):
    (tmp_path / "moo.json").write_text(text)
    with pytest.raises(InputError, match=r"moo\.json"):
        read_ontologies(tmp_path, OBOConfig(files=("moo.json",)))


def test_owl_is_told_how_to_be_converted(tmp_path):
    (tmp_path / "moo.owl").write_text("<rdf:RDF/>")
    with pytest.raises(InputError, match=r"robot convert -i moo\.owl -o moo\.obo"):
        read_ontologies(tmp_path, OBOConfig(files=("moo.owl",)))


def test_command(read, tmp_path):
    main(OBOCommand, ["--folder", str(tmp_path), "--out", str(tmp_path / "out")])
    assert read_concepts(tmp_path / "out/concepts.parquet").height == 3
    assert read_triplets(tmp_path / "out/triplets.parquet").height == 3
