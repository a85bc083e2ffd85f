"""Every configuration is read back, and the graph by it: what was guessed is what the files say."""

import gzip
from pathlib import Path

import polars as pl
import pytest
import yaml

from kg.init import InitCommand
from kg.shared.command import main
from kg.sources.kgx import read_kgx
from kg.sources.settings import KGXConfig, TableConfig
from kg.sources.table import read_graph

FACTS = [("d1", "treats", "i1"), ("d1", "treats", "i2"), ("d2", "causes", "i1")]
THINGS = [("d1", "aspirin", "drug", "ASA"), ("d2", "lead", "metal", ""), ("i1", "ache", "ill", "")]
THINGS += [("i2", "fever", "ill", "heat|pyrexia")]


def write(path: Path, rows, separator="\t", header=None):
    lines = [separator.join(row) for row in ([header] if header else []) + list(rows)]
    text = "\n".join(lines) + "\n"
    data = gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode()
    path.write_bytes(data)
    return path


def init(folder, *options):
    """The configuration that kg.init writes, and the graph that it makes of the files."""
    out = folder / "mine.yaml"
    main(InitCommand, [*options, "--out", str(out)])
    values = yaml.safe_load(out.read_text())
    kg = values["kg"]
    folder = Path(kg["folder"])
    if kg["source"] == "kgx":
        return values, *read_kgx(folder, KGXConfig.model_validate(kg["kgx"]))
    return values, *read_graph(folder, TableConfig.model_validate(kg["table"]))


def told(triplets):
    return sorted(triplets.select("head", "relation", "tail").rows())


class TestFacts:
    @pytest.mark.parametrize(
        ("name", "separator", "header"),
        [
            ("a.tsv", "\t", ("head", "relation", "tail")),
            ("a.csv", ",", ("subject", "predicate", "object")),
            ("a.csv", ";", ("Source", "Edge Type", "Target")),
            ("a.txt", "\t", None),
            ("a.tsv.gz", "\t", (":START_ID", ":TYPE", ":END_ID")),
            ("a.txt", "|", ("from", "rel", "to")),
            ("a.tsv", "\t", ("wer", "was", "wen")),
        ],
    )
    def test_in_several_layouts(self, tmp_path, name, separator, header):
        write(tmp_path / name, FACTS, separator, header)
        _, _, triplets, _ = init(tmp_path, "--edges", str(tmp_path / name))
        assert told(triplets) == sorted(FACTS)

    def test_relation_first_without_a_header(self, tmp_path):
        rows = [(relation, head, tail) for head, relation, tail in FACTS * 1]
        path = write(tmp_path / "a.tsv", [*rows, ("treats", "d3", "i3")])
        _, _, triplets, _ = init(tmp_path, "--edges", str(path))
        assert told(triplets) == sorted([*FACTS, ("d3", "treats", "i3")])

    def test_with_names_and_types_of_both_ends(self, tmp_path):
        header = ("subject_name", "subject", "predicate", "object", "object_name", "object_type")
        path = write(tmp_path / "a.tsv", [("Ann", "1", "knows", "2", "Bob", "man")], header=header)
        _, concepts, triplets, _ = init(tmp_path, "--edges", str(path))
        assert concepts.select("cui", "name").rows() == [("1", "Ann"), ("2", "Bob")]
        assert told(triplets) == [("1", "knows", "2")]

    def test_parquet(self, tmp_path):
        frame = pl.DataFrame(FACTS, schema=["h", "r", "t"], orient="row")
        frame.write_parquet(tmp_path / "a.parquet")
        _, _, triplets, _ = init(tmp_path, "--edges", str(tmp_path / "a.parquet"))
        assert told(triplets) == sorted(FACTS)

    def test_a_published_layout(self, tmp_path):
        columns = "relation,display_relation,x_index,x_id,x_type,x_name,x_source,"
        header = (columns + "y_index,y_id,y_type,y_name,y_source").split(",")
        row = [
            "indication",
            "indication",
            "1",
            "7",
            "drug",
            "aspirin",
            "DB",
            "2",
            "7",
            "disease",
            "ache",
            "MONDO",
        ]
        path = write(tmp_path / "prime.csv", [row], ",", header)
        values, _, triplets, _ = init(tmp_path, "--edges", str(path))
        assert values["kg"]["table"]["layout"] == "primekg"
        assert told(triplets) == [("DB:7", "indication", "MONDO:7")]

    def test_kgx(self, tmp_path):
        header = ("id", "subject", "predicate", "object", "knowledge_source")
        facts = [("1", "MONDO:1", "biolink:has_phenotype", "HP:1", "infores:x")]
        edges = write(tmp_path / "my_edges.tsv.gz", facts, header=header)
        rows = [("MONDO:1", "biolink:Disease", "flu"), ("HP:1", "biolink:Phenotype", "fever")]
        nodes = write(tmp_path / "my_nodes.tsv.gz", rows, header=("id", "category", "name"))
        values, *graph = init(tmp_path, "--edges", str(edges), "--nodes", str(nodes))
        assert values["kg"]["source"] == "kgx"
        assert told(graph[1]) == [("MONDO:1", "has_phenotype", "HP:1")]


class TestConcepts:
    @pytest.mark.parametrize("header", [("id", "name", "category", "synonym"), None])
    def test_ids_are_those_that_the_facts_have(self, tmp_path, header):
        edges = write(tmp_path / "e.tsv", FACTS, header=("head", "relation", "tail"))
        nodes = write(tmp_path / "n.tsv", THINGS, header=header)
        _, concepts, triplets, _ = init(tmp_path, "--edges", str(edges), "--nodes", str(nodes))
        assert concepts["name"].to_list() == ["aspirin", "lead", "ache", "fever"]
        assert triplets.height == len(FACTS)
        if header:
            assert concepts["synonyms"].to_list()[3] == ["heat", "pyrexia"]
            assert concepts["semantic_types"].to_list()[0] == ["drug"]

    def test_other_columns_and_folders(self, tmp_path):
        (tmp_path / "x").mkdir()
        edges = write(tmp_path / "e.csv", FACTS, ",", ("s", "p", "o"))
        rows = [("1", name, f"{name};{kind}", id) for id, name, kind, _ in THINGS]
        header = ("number", "label", "type", "curie")
        nodes = write(tmp_path / "x/n.tsv", rows, "\t", header)
        values, concepts, *_ = init(tmp_path, "--edges", str(edges), "--nodes", str(nodes))
        assert values["kg"]["table"]["nodes"]["files"] == ["x/n.tsv"]
        assert concepts["semantic_types"].to_list()[1] == ["lead", "metal"]

    def test_of_another_graph_is_an_error(self, tmp_path, capsys):
        edges = write(tmp_path / "e.tsv", FACTS)
        nodes = write(tmp_path / "n.tsv", [("x", "y")])
        with pytest.raises(SystemExit):
            init(tmp_path, "--edges", str(edges), "--nodes", str(nodes))
        assert "has an id of the facts, such as d1" in capsys.readouterr().err


class TestFile:
    def test_names_what_to_run_and_the_graph(self, tmp_path):
        path = write(tmp_path / "a.tsv", FACTS)
        values, *_ = init(tmp_path, "--edges", str(path))
        assert values["kg"]["name"] == "mine"
        assert values["directory"] == "runs/mine"
        assert "--configfile config/demo.yaml " in (tmp_path / "mine.yaml").read_text()

    def test_is_never_overwritten(self, tmp_path, capsys):
        (tmp_path / "mine.yaml").write_text("mine")
        path = write(tmp_path / "a.tsv", FACTS)
        with pytest.raises(SystemExit):
            init(tmp_path, "--edges", str(path))
        assert "is there already" in capsys.readouterr().err
        assert (tmp_path / "mine.yaml").read_text() == "mine"

    @pytest.mark.parametrize("text", ["", "one\n", "a\tb\na\tb\tc\n", "a\tb\na\tb\n"])
    def test_what_is_no_table_of_facts_is_an_error(self, tmp_path, text, capsys):
        (tmp_path / "a.tsv").write_text(text)
        with pytest.raises(SystemExit):
            init(tmp_path, "--edges", str(tmp_path / "a.tsv"))
        assert "a.tsv" in capsys.readouterr().err
