"""`python -m kg.store` shows, finds and converts."""

import json
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest

from kg.graph.tables import CONCEPTS, TRIPLETS, read_concepts, write_concepts, write_triplets
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store
from kg.store.__main__ import StoreCommand
from kg.store.nearest import nearest
from kg.store.published import read_published, write_published

CUIS = ["C1", "C2", "HP:1", "a/b c"]
VECTORS = np.array([[1, 0], [0.5, 0.5], [-1, 0], [3, 1]], dtype=np.float32)


@pytest.fixture
def store(tmp_path) -> Path:
    write_store(tmp_path / "e.h5", pl.Series(CUIS), VECTORS, {"encoder": "x"}, {"mrr": 0.5})
    return tmp_path / "e.h5"


@pytest.fixture
def concepts(tmp_path) -> Path:
    columns = {"cui": CUIS, "name": [f"name of {cui}" for cui in CUIS]}
    synonyms = [["Common", "own"], ["common"], [], ["name of C1"]]
    lists = {"synonyms": synonyms, "semantic_types": [[]] * 4, "definition": [None] * 4}
    write_concepts(tmp_path / "concepts.parquet", pl.DataFrame({**columns, **lists}, CONCEPTS))
    return tmp_path / "concepts.parquet"


class TestNearest:
    def test_by_cosine_without_itself(self, store):
        found = nearest(EmbeddingStore(store), "C1", 2)
        assert [cui for cui, _ in found] == ["a/b c", "C2"]
        assert found[0][1] == pytest.approx(3 / np.sqrt(10))

    def test_blocks_do_not_matter(self, store, monkeypatch):
        whole = nearest(EmbeddingStore(store), "C2", 9)
        monkeypatch.setattr("kg.store.nearest._ROWS", 2)
        assert nearest(EmbeddingStore(store), "C2", 9) == whole
        assert len(whole) == 3

    def test_a_vector_of_zeros_is_near_nothing(self, tmp_path):
        vectors = np.array([[0, 0], [1, 0]], dtype=np.float16)
        write_store(tmp_path / "z.h5", pl.Series(["C1", "C2"]), vectors, {}, {})
        assert nearest(EmbeddingStore(tmp_path / "z.h5"), "C1", 5) == [("C2", 0.0)]

    def test_command_prints_cui_name_and_similarity(self, store, concepts, capsys):
        arguments = ["--store", str(store), "--graph", str(concepts.parent), "--count", "1"]
        main(StoreCommand, ["nearest", "C1", *arguments])
        assert capsys.readouterr().out == "a/b c\tname of a/b c\t0.9487\n"

    @pytest.mark.parametrize("text", ["C1", "name of C1", " Name OF c1", "OWN"])
    def test_by_id_name_or_synonym(self, store, concepts, capsys, text):
        """A name counts before another concept's synonym."""
        arguments = ["--store", str(store), "--graph", str(concepts.parent), "--count", "1"]
        main(StoreCommand, ["nearest", text, *arguments])
        assert capsys.readouterr().out == "a/b c\tname of a/b c\t0.9487\n"

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("of c2", "'of c2' is neither an id in {} nor a name or a synonym of its 4 concepts; "
             "names that hold it: C2 (name of C2)"),
            ("C9", "'C9' is neither an id in {} nor a name or a synonym of its 4 concepts; "
             "names that hold it: none"),
        ],
    )  # fmt: skip
    def test_what_is_unknown(self, store, concepts, capsys, text, message):
        graph = ["--graph", str(concepts.parent)]
        with pytest.raises(SystemExit) as stop:
            main(StoreCommand, ["nearest", text, "--store", str(store), *graph])
        assert stop.value.code == 2
        assert message.format(store) in capsys.readouterr().err

    def test_several_of_a_name_are_all_shown(self, store, concepts, capsys):
        arguments = ["--store", str(store), "--graph", str(concepts.parent), "--count", "1"]
        main(StoreCommand, ["nearest", "common", *arguments])
        assert capsys.readouterr().out.splitlines() == [
            "# common (C1)",
            "a/b c\tname of a/b c\t0.9487",
            "# common (C2)",
            "a/b c\tname of a/b c\t0.8944",
        ]

    def test_a_name_without_the_concepts(self, store, capsys):
        with pytest.raises(SystemExit) as stop:
            main(StoreCommand, ["nearest", "name of C1", "--store", str(store)])
        assert stop.value.code == 2
        error = capsys.readouterr().err
        assert f"'name of C1' is no id of the 4 in {store}" in error
        assert "--graph" in error


class TestFacts:
    @pytest.fixture
    def beside(self, tmp_path, store, concepts) -> str:
        """The store where the workflow has it, in a folder of its graph's."""
        edges = [("C1", "is_a", "C2"), ("HP:1", "has_finding", "C1"), ("HP:1", "is_a", "C2")]
        rows = pl.DataFrame([(*edge, "s") for edge in edges], TRIPLETS, orient="row")
        write_triplets(tmp_path / "triplets.parquet", rows, read_concepts(concepts))
        (tmp_path / "sage").mkdir()
        return str(store.rename(tmp_path / "sage" / "embeddings.h5"))

    def test_by_name_from_the_graph_beside_the_store(self, beside, capsys):
        main(StoreCommand, ["facts", "name of c1", "--store", beside])
        assert capsys.readouterr().out.splitlines() == [
            "C2\tname of C1 is a name of C2.",
            "HP:1\tname of HP:1 has finding name of C1.",
        ]

    def test_nearest_too(self, beside, capsys):
        main(StoreCommand, ["nearest", "own", "--store", beside, "--count", "1"])
        assert capsys.readouterr().out == "a/b c\tname of a/b c\t0.9487\n"

    def test_as_many_as_asked_for(self, beside, capsys, caplog):
        with caplog.at_level("INFO"):
            main(StoreCommand, ["facts", "C1", "--store", beside, "--count", "1"])
        assert len(capsys.readouterr().out.splitlines()) == 1
        assert "C1 has 2 facts, 1 are shown" in caplog.text

    def test_without_a_graph(self, store, tmp_path, capsys):
        with pytest.raises(SystemExit):
            main(StoreCommand, ["facts", "C1", "--store", str(store)])
        assert f"no concepts.parquet in {tmp_path.parent}; give --graph" in capsys.readouterr().err


class TestInfoAndGet:
    def test_info(self, store, capsys):
        main(StoreCommand, ["info", "--store", str(store)])
        shown = json.loads(capsys.readouterr().out)
        assert (shown["rows"], shown["dim"], shown["dtype"]) == (4, 2, "float32")
        assert shown["metrics"] == {"mrr": 0.5}

    def test_get(self, store, capsys):
        main(StoreCommand, ["get", "C2", "--store", str(store)])
        assert json.loads(capsys.readouterr().out) == [0.5, 0.5]


class TestPublishedLayout:
    def test_export_is_what_the_published_code_reads(self, store, tmp_path):
        main(StoreCommand, ["export", str(tmp_path / "w.h5"), "--store", str(store)])
        with h5py.File(tmp_path / "w.h5") as file:
            assert sorted(file) == ["C1", "C2", "HP:1", "a___b__c"]
            assert file["C2"].dtype == np.float16
            assert file["C2"][:].tolist() == [0.5, 0.5]

    def test_export_then_import_is_the_store(self, store, concepts, tmp_path):
        published, again = str(tmp_path / "w.h5"), str(tmp_path / "again.h5")
        main(StoreCommand, ["export", published, "--store", str(store)])
        main(StoreCommand, ["import", published, "--store", again, "--concepts", str(concepts)])
        other = EmbeddingStore(Path(again))
        assert other.cuis.tolist() == EmbeddingStore(store).cuis.tolist()
        assert (other.embedding == VECTORS.astype(np.float16)).all()

    def test_concepts_without_a_vector_are_named(self, store, concepts, tmp_path, capsys):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.create_dataset("C1", data=np.ones(2))
        arguments = ["--store", str(tmp_path / "n.h5"), "--concepts", str(concepts)]
        with pytest.raises(SystemExit):
            main(StoreCommand, ["import", str(tmp_path / "w.h5"), *arguments])
        assert "lacks 3 of 4 concepts" in capsys.readouterr().err

    def test_groups_as_in_the_rdf2vec_file(self, tmp_path):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.create_dataset("graph/pyRDF2Vec/C2", data=[1.0, 2.0])
            file.create_dataset("graph/pyRDF2Vec/C1", data=[3.0, 4.0])
        names, vectors = read_published(tmp_path / "w.h5")
        assert names == ["C1", "C2"]
        assert vectors.tolist() == [[3, 4], [1, 2]]

    def test_vectors_of_different_lengths(self, tmp_path):
        with h5py.File(tmp_path / "w.h5", "w") as file:
            file.create_dataset("C1", data=[1.0, 2.0])
            file.create_dataset("C2", data=[1.0])
        with pytest.raises(InputError, match="C2 has the shape"):
            read_published(tmp_path / "w.h5")

    @pytest.mark.parametrize("content", [None, b"", b"not hdf5"])
    def test_no_hdf5_file(self, tmp_path, content):
        if content is not None:
            (tmp_path / "w.h5").write_bytes(content)
        with pytest.raises(InputError, match=r"does not exist|is empty|is not a whole HDF5 file"):
            read_published(tmp_path / "w.h5")

    def test_numbers_that_the_layout_cannot_hold(self, tmp_path):
        write_store(tmp_path / "e.h5", pl.Series(["C1", "C2"]), VECTORS[:2] * 131_008, {}, {})
        with pytest.raises(InputError, match=r"C1 has the number 131008\.0, .* ends at 65504"):
            write_published(tmp_path / "w.h5", EmbeddingStore(tmp_path / "e.h5"))
        assert not (tmp_path / "w.h5").exists()
        write_store(tmp_path / "e.h5", pl.Series(["C2"]), VECTORS[1:2] * 131_008, {}, {})
        write_published(tmp_path / "w.h5", EmbeddingStore(tmp_path / "e.h5"))
        assert read_published(tmp_path / "w.h5")[1].tolist() == [[65504, 65504]]

    def test_names_that_the_layout_cannot_hold(self, tmp_path):
        write_store(tmp_path / "e.h5", pl.Series(["a__b"]), VECTORS[:1], {}, {})
        with pytest.raises(InputError, match="a__b cannot be written"):
            write_published(tmp_path / "w.h5", EmbeddingStore(tmp_path / "e.h5"))
        assert not (tmp_path / "w.h5").exists()
