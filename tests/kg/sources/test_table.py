"""Tables of facts in every layout become the graph that plain Python counts in them."""

import csv
import gzip
import re
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from kg.graph.tables import read_concepts, read_triplets
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.settings import TableConfig
from kg.sources.table import read_graph
from kg.table import TableCommand

FACTS = [("cow", "eats", "grass"), ("calf", "is_a", "cow"), ("cow", "has", "udder")]


def write(path: Path, *rows: tuple[str, ...], separator: str = "\t") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(path, "wt") if path.suffix == ".gz" else path.open("w") as file:
        if separator == ",":
            csv.writer(file).writerows(rows)
        else:
            file.writelines(separator.join(row) + "\n" for row in rows)
    return path


def read(folder: Path, **config: Any) -> tuple[pl.DataFrame, pl.DataFrame, dict[str, Any]]:
    return read_graph(folder, TableConfig.model_validate(config))


def facts(triplets: pl.DataFrame) -> list[tuple[str, str, str]]:
    return triplets.select("head", "relation", "tail").rows()


def own(folder: Path, *rows: tuple[str, ...], **config: Any) -> Any:
    """The graph of edges.tsv with these rows under its header."""
    write(folder / "edges.tsv", ("head", "relation", "tail"), *rows)
    return read(folder, **config)


class TestPrimeKG:
    HEADER = (
        *("relation", "display_relation", "x_index", "x_id", "x_type", "x_name", "x_source"),
        *("y_index", "y_id", "y_type", "y_name", "y_source"),
    )
    ONE, OTHER = (
        ("0", "9", "gene/protein", "MOO1", "NCBI"),
        ("1", "10", "gene/protein", "MOO2", "NCBI"),
    )
    DRUG = ("2", "DB1", "drug", "Moolin, oral", "DrugBank")
    DISEASE = ("3", "7", "disease", 'the "staggers"', "MONDO")
    ROWS = (
        ("protein_protein", "ppi", *ONE, *OTHER),
        ("indication", "indication", *DRUG, *DISEASE),
        ("indication", "indication", *DISEASE, *DRUG),
        ("protein_protein", "ppi", *OTHER, *ONE),
    )

    def test_facts_keep_the_direction_that_comes_first(self, tmp_path):
        write(tmp_path / "kg.csv", self.HEADER, *self.ROWS, separator=",")
        concepts, triplets, files = read(tmp_path, layout="primekg")
        rows = [dict(zip(self.HEADER, row, strict=True)) for row in self.ROWS]
        counted = {
            (f"{x['x_source']}:{x['x_id']}", x["relation"], f"{x['y_source']}:{x['y_id']}")
            for x in rows[:2]
        }
        assert set(facts(triplets)) == counted
        assert triplets["source"].unique().to_list() == ["primekg"]
        assert files == {"kg.csv": {"read": 4, "dropped": {"same fact turned round": 2}, "kept": 2}}
        assert concepts.select("cui", "name", pl.col("semantic_types").list.first()).rows() == [
            ("DrugBank:DB1", "Moolin, oral", "drug"),
            ("MONDO:7", 'the "staggers"', "disease"),
            ("NCBI:10", "MOO2", "gene/protein"),
            ("NCBI:9", "MOO1", "gene/protein"),
        ]


class TestHetionet:
    def test_metaedges_have_their_names_and_unknown_ends_are_counted(self, tmp_path):
        nodes = [("Gene::9", "MOO1", "Gene"), ("Disease::7", "staggers", "Disease")]
        edges = [
            ("Disease::7", "DaG", "Gene::9"),
            ("Disease::7", "DaG", "Gene::9"),
            ("Gene::9", "GiG", "Gene::9"),
            ("Gene::9", "Gr>G", "Gene::8"),
        ]
        write(tmp_path / "hetionet-v1.0-nodes.tsv", ("id", "name", "kind"), *nodes)
        name = "hetionet-v1.0-edges.sif.gz"
        write(tmp_path / name, ("source", "metaedge", "target"), *edges)
        concepts, triplets, files = read(tmp_path, layout="hetionet")
        assert facts(triplets) == [("Disease::7", "disease_associates_gene", "Gene::9")]
        assert concepts["name"].to_list() == ["staggers", "MOO1"]
        assert files == {
            "hetionet-v1.0-nodes.tsv": {"read": 2, "dropped": {}, "kept": 2},
            name: {
                "read": 4,
                "dropped": {"inside one concept": 1, "no concept at an end": 1, "same fact": 1},
                "kept": 1,
            },
        }


class TestOpenBioLink:
    def test_files_without_a_header_and_of_different_widths(self, tmp_path):
        write(tmp_path / "train_sample.csv", ("N:1", "GENE_GENE", "N:2", "900", "1", "STRING"))
        write(tmp_path / "edges.csv", ("N:1", "DIS_DRUG", "N:3", "", "SIDER"))
        write(tmp_path / "nodes.csv", ("N:1", "GENE"), ("N:2", "GENE"), ("N:3", "DRUG"))
        concepts, triplets, files = read(tmp_path, layout="openbiolink")
        assert facts(triplets) == [("N:1", "DIS_DRUG", "N:3"), ("N:1", "GENE_GENE", "N:2")]
        assert concepts.select("name", pl.col("semantic_types").list.first()).rows() == [
            *(("N:1", "GENE"), ("N:2", "GENE"), ("N:3", "DRUG"))
        ]
        assert files["edges.csv and 1 more"] == {"read": 2, "dropped": {}, "kept": 2}


class TestPyKEEN:
    def test_the_name_is_the_id(self, tmp_path):
        write(tmp_path / "train.txt", *FACTS, FACTS[0])
        write(tmp_path / "test.txt", ("calf", "eats", "milk"))
        concepts, triplets, files = read(tmp_path, layout="pykeen")
        assert set(facts(triplets)) == {*FACTS, ("calf", "eats", "milk")}
        ends = {end for head, _, tail in facts(triplets) for end in (head, tail)}
        assert concepts["cui"].to_list() == concepts["name"].to_list() == sorted(ends)
        assert files == {
            "train.txt and 1 more": {"read": 5, "dropped": {"same fact": 1}, "kept": 4}
        }


class TestOGB:
    def test_numbers_count_by_kind_and_the_paths_tell_the_kinds(self, tmp_path):
        relations = tmp_path / "raw/relations"
        for name, *rows in (
            ("disease___disease-protein___protein", ("0", "1"), ("1", "0")),
            ("drug___drug-drug_acquired___drug", ("0", "1"), ("0", "1")),
        ):
            write(relations / name / "edge.csv.gz", *rows, separator=",")
            write(relations / name / "edge_reltype.csv.gz", ("0",), separator=",")
        for kind in ("disease", "protein", "drug"):
            rows = [("ent idx", "ent name"), ("0", f"{kind} A"), ("1", f"{kind} B")]
            write(tmp_path / f"mapping/{kind}_entidx2name.csv.gz", *rows, separator=",")
        concepts, triplets, files = read(tmp_path, layout="ogb")
        assert facts(triplets) == [
            ("disease:0", "disease-protein", "protein:1"),
            ("disease:1", "disease-protein", "protein:0"),
            ("drug:0", "drug-drug_acquired", "drug:1"),
        ]
        assert concepts.filter(cui="protein:1").select("name", "semantic_types").rows() == [
            ("protein B", ["protein"])
        ]
        assert [rows["read"] for rows in files.values()] == [6, 4]


class TestNumbersWithMappings:
    def test_of_concepts_and_of_relations(self, tmp_path):
        write(tmp_path / "triples.csv", ("0", "1", "5"), ("1", "1", "0"), separator=",")
        write(tmp_path / "entities.csv", ("0", "cow"), ("1", "calf"), ("5", "grass"), separator=",")
        write(tmp_path / "relations.csv", ("1", "knows"), separator=",")
        files = {"edges": "triples.csv", "nodes": "entities.csv", "relations": "relations.csv"}
        config: dict[str, Any] = {table: {"files": [name]} for table, name in files.items()}
        config["edges"]["columns"] = ["head", "relation", "tail"]
        config["nodes"]["columns"] = config["relations"]["columns"] = ["id", "name"]
        concepts, triplets, _ = read(tmp_path, **config)
        assert facts(triplets) == [("0", "knows", "5"), ("1", "knows", "0")]
        assert concepts["name"].to_list() == ["cow", "calf", "grass"]


class TestOwnTables:
    def test_every_row_is_counted_once(self, tmp_path):
        rows = [
            *FACTS,
            FACTS[1],
            ("cow", "likes", "cow"),
            ("", "eats", "hay"),
            (" cow ", "has", ""),
        ]
        _, triplets, files = own(tmp_path, *rows)
        assert set(facts(triplets)) == set(FACTS)
        dropped = {"no head, relation or tail": 2, "inside one concept": 1, "same fact": 1}
        assert files["edges.tsv"] == {"read": 7, "dropped": dropped, "kept": 3}

    def test_space_around_fields_and_windows_line_ends(self, tmp_path):
        lines = "\ufeffhead\trelation\ttail\r\n cow\teats \tgrass\r\n"
        (tmp_path / "edges.tsv").write_text(lines, newline="")
        assert facts(read(tmp_path)[1]) == [("cow", "eats", "grass")]

    def test_nodes_with_all_their_columns(self, tmp_path):
        write(
            tmp_path / "nodes.tsv",
            ("id", "name", "category", "synonym", "text"),
            ("cow", "Cow", "animal|mammal", "Cow|heifer| bull |heifer", "It moos."),
            ("grass", "", "", "", ""),
            ("cow", "Kuh", "animal", "", "Later."),
            ("", "nothing", "", "", ""),
            ("calf", "calf", "animal", "", ""),
            ("udder", "udder", "", "", ""),
        )
        nodes = {"type": "category", "synonyms": "synonym", "definition": "text"}
        concepts, _, files = own(tmp_path, *FACTS, nodes=nodes)
        assert concepts.filter(cui="cow").rows() == [
            ("cow", "Cow", ["Kuh", "bull", "heifer"], ["animal", "mammal"], "It moos.")
        ]
        assert concepts.filter(cui="grass").rows() == [("grass", "grass", [], [], None)]
        assert files["nodes.tsv"] == {"read": 6, "dropped": {"no id": 1, "same id": 1}, "kept": 4}

    def test_a_column_of_sources_is_joined(self, tmp_path):
        rows = [("head", "relation", "tail", "from")]
        rows += [("cow", "eats", "grass", source) for source in ("B", "A", "B", "C")]
        write(tmp_path / "edges.tsv", *rows)
        assert read(tmp_path, edges={"source": "from"})[1].rows() == [
            ("cow", "eats", "grass", "A|B|C")
        ]

    def test_relations_are_renamed_and_may_become_one(self, tmp_path):
        rename = {"eats": "food", "has": "food"}
        _, triplets, _ = own(tmp_path, *FACTS, ("cow", "has", "grass"), rename=rename)
        assert triplets.filter(head="cow")["relation"].unique().to_list() == ["food"]
        assert triplets.height == 3

    def test_other_keys_change_a_layout(self, tmp_path):
        write(tmp_path / "mine.txt", FACTS[0])
        _, triplets, _ = read(tmp_path, layout="pykeen", edges={"files": ["mine.txt"]})
        assert facts(triplets) == [FACTS[0]]

    @pytest.mark.parametrize(
        "name", ["edges.tsv.gz", "edges.tsv.zst", "edges.csv", "edges.parquet"]
    )
    def test_files_of_every_kind(self, tmp_path, name):
        table = pl.DataFrame(FACTS, ["head", "relation", "tail"], orient="row")
        if name.endswith("parquet"):
            table.write_parquet(tmp_path / name)
        elif name.endswith("zst"):
            table.lazy().sink_csv(tmp_path / name, separator="\t", compression="zstd")
        else:
            write(tmp_path / name, table.columns, *FACTS, separator="," if "csv" in name else "\t")
        _, triplets, files = read(tmp_path, edges={"files": [name.removesuffix(".gz")]})
        assert set(facts(triplets)) == set(FACTS)
        assert files == {name: {"read": 3, "dropped": {}, "kept": 3}}

    def test_line_ends_inside_quotes(self, tmp_path):
        rows = [("head", "relation", "tail"), ("cow, brown", "eats", "grass\nand hay")]
        write(tmp_path / "edges.csv", *rows, separator=",")
        _, triplets, _ = read(tmp_path, edges={"files": ["edges.csv"]})
        assert facts(triplets) == [("cow, brown", "eats", "grass\nand hay")]


class TestWhatIsNoTable:
    @pytest.mark.parametrize("ending", ["", ".gz"])
    @pytest.mark.parametrize(("row", "fields"), [(("a", "b"), 2), (("a", "b", "c", "d"), 4)])
    def test_a_bad_row_is_named_by_its_line(self, tmp_path, row, fields, ending):
        write(tmp_path / f"edges.tsv{ending}", ("head", "relation", "tail"), FACTS[0], row)
        expected = rf"edges\.tsv{ending} line 3 has {fields} fields, expected 3 .*{row[1]}"
        with pytest.raises(InputError, match=expected):
            read(tmp_path)

    def test_quoted_rows_too(self, tmp_path):
        rows = [("head", "relation", "tail"), ("a", "b\nb", "c"), ("a,b", "c")]
        write(tmp_path / "edges.csv", *rows, separator=",")
        with pytest.raises(InputError, match=r"edges\.csv line 4 has 2 fields, expected 3"):
            read(tmp_path, edges={"files": ["edges.csv"]})

    def test_bytes_that_are_no_text(self, tmp_path):
        path = write(tmp_path / "edges.tsv", ("head", "relation", "tail"))
        path.write_bytes(path.read_bytes() + b"a\tb\t\xff\n")
        with pytest.raises(InputError, match=r"edges\.tsv line 2 is not UTF-8"):
            read(tmp_path)

    def test_an_archive_that_is_cut_off(self, tmp_path):
        path = write(tmp_path / "edges.tsv.gz", ("head", "relation", "tail"), *FACTS)
        path.write_bytes(path.read_bytes()[:-12])
        with pytest.raises(InputError, match=r"edges\.tsv\.gz cannot be unpacked"):
            read(tmp_path)

    def test_no_file_is_told_with_the_names(self, tmp_path):
        with pytest.raises(InputError, match=re.escape("none of the files edges.tsv (nor packed")):
            read(tmp_path)

    def test_another_column(self, tmp_path):
        with pytest.raises(InputError, match=r"no column 'from', only head, relation, tail"):
            own(tmp_path, *FACTS, edges={"head": "from"})

    def test_fewer_columns_than_named(self, tmp_path):
        write(tmp_path / "train.txt", ("cow", "grass"))
        with pytest.raises(InputError, match="expected 3 or more: head, relation, tail"):
            read(tmp_path, layout="pykeen")

    def test_a_relation_with_two_names(self, tmp_path):
        write(tmp_path / "relations.tsv", ("id", "name"), ("eats", "x"), ("eats", "y"))
        with pytest.raises(InputError, match="relation eats has two names"):
            own(tmp_path, *FACTS, relations={})


def test_command(tmp_path):
    write(tmp_path / "train.txt", *FACTS)
    out = tmp_path / "out"
    main(TableCommand, ["--folder", str(tmp_path), "--config.layout", "pykeen", "--out", str(out)])
    assert read_concepts(out / "concepts.parquet").height == 4
    assert read_triplets(out / "triplets.parquet").height == 3
