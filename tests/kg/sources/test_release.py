"""A release of MEG becomes tables and stores with the same rows."""

import json

import h5py
import numpy as np
import pytest

from kg.graph.tables import parents_of, read_concepts, read_parents, read_triplets
from kg.release import ReleaseCommand
from kg.shared.artefact import read_json
from kg.shared.command import main
from kg.shared.errors import InputError
from kg.sources.release import read_names, read_parent_lists, read_release
from kg.store import EmbeddingStore
from tests.kg.sources.release_folder import write_release_folder


def _folder(tmp_path, vocabulary: str, triplets: str):
    (tmp_path / "vocab.csv").write_text(vocabulary, encoding="utf-8")
    (tmp_path / "triplets.jsonl").write_text(triplets, encoding="utf-8")
    return tmp_path


def _triplet(a: str, rel: str, b: str) -> str:
    return f'{{"a": "{a}", "a_text": "x", "rel": "{rel}", "b": "{b}", "b_text": "y"}}\n'


class TestInventedRelease:
    @pytest.fixture
    def out(self, tmp_path):
        folder = write_release_folder(tmp_path / "umls", concepts=60, dim=8)
        out = tmp_path / "out"
        main(ReleaseCommand, ["--folder", str(folder), "--out", str(out)])
        return out

    def test_store_and_tables_have_the_same_rows(self, out):
        concepts = read_concepts(out / "concepts.parquet")
        store = EmbeddingStore(out / "graphsage" / "embeddings.h5")
        store.check(concepts)
        assert (len(store), store.dim, store.embedding.dtype) == (60, 8, np.float16)

    def test_vectors_are_those_of_their_concept(self, out, tmp_path):
        store = EmbeddingStore(out / "graphsage" / "embeddings.h5")
        with h5py.File(tmp_path / "umls" / "embeddings" / "word2embed_graphsage.h5") as file:
            for cui in ("C1000000", "C1000042"):
                assert (store.get([cui])[0] == file[cui][:].astype(np.float16)).all()

    def test_parents_and_summary(self, out):
        assert read_parents(out / "parents.parquet")["values"].list.len().to_list() == [1] * 60
        summary = read_json(out / "summary.json")
        assert summary["files"]["vocab.csv"]["kept"] == 60
        assert summary["files"]["vocab_parents.jsonl"]["kept"] == 60
        assert summary["triplets"] == read_triplets(out / "triplets.parquet").height
        for rows in summary["files"].values():
            assert rows["read"] == rows["kept"] + sum(rows["dropped"].values())

    def test_without_optional_files(self, tmp_path, caplog):
        folder = write_release_folder(tmp_path / "umls", concepts=30)
        (folder / "vocab_parents.jsonl").unlink()
        (folder / "embeddings" / "word2embed_graphsage.h5").unlink()
        stale = tmp_path / "out" / "parents.parquet"
        stale.parent.mkdir()
        stale.write_bytes(b"of another release")
        with caplog.at_level("INFO"):
            main(ReleaseCommand, ["--folder", str(folder), "--out", str(tmp_path / "out")])
        triplets = read_triplets(tmp_path / "out" / "triplets.parquet")
        assert read_parents(stale).equals(parents_of(triplets))
        for missing in ("vocab_parents.jsonl is not there", "no store is written"):
            assert missing in caplog.text
        assert read_concepts(tmp_path / "out" / "concepts.parquet").height == 30

    def test_embeddings_named_in_the_config(self, tmp_path, capsys):
        folder = write_release_folder(tmp_path / "umls", concepts=30, name="random")
        write_release_folder(folder, concepts=30)
        arguments = ["--folder", str(folder), "--out", str(tmp_path / "out")]
        main(ReleaseCommand, [*arguments, "--config", '{"embeddings": ["random"]}'])
        assert (tmp_path / "out" / "random" / "embeddings.h5").is_file()
        assert not (tmp_path / "out" / "graphsage").exists()
        with pytest.raises(SystemExit):
            main(ReleaseCommand, [*arguments, "--config", '{"embeddings": ["sage"]}'])
        assert "it has those of: graphsage, random" in capsys.readouterr().err

    @pytest.fixture
    def published(self, tmp_path):
        """A folder with the release's own file names."""
        for encoder in ("edgegraphsage", "graphsage"):
            name = f"{encoder}_sapbertinit"
            folder = write_release_folder(tmp_path / "umls", concepts=30, name=name)
        return folder

    def test_the_release_names_say_how_the_encoder_began(self, published, tmp_path):
        arguments = ["--folder", str(published), "--out", str(tmp_path / "out")]
        names = ["graphsage", "edgegraphsage", "graphsage_sapbertinit"]
        main(ReleaseCommand, [*arguments, "--config", json.dumps({"embeddings": names})])
        for name in names:
            assert len(EmbeddingStore(tmp_path / "out" / name / "embeddings.h5")) == 30

    def test_a_name_that_fits_several_files(self, published, tmp_path, capsys):
        write_release_folder(published, concepts=30, name="graphsage_randominit")
        arguments = ["--folder", str(published), "--out", str(tmp_path / "out")]
        with pytest.raises(SystemExit):
            main(ReleaseCommand, [*arguments, "--config", '{"embeddings": ["graphsage"]}'])
        assert "several of the name graphsage" in capsys.readouterr().err


class TestRowsOfTheTables:
    def test_concepts_without_a_vector_go_with_their_triplets(self, tmp_path):
        triplets = _triplet("C1", "isa", "C2") + _triplet("C2", "isa", "C3")
        folder = _folder(tmp_path, "C3\tc\nC1\ta\nC2\tb\n", triplets)
        embeddings = {"x": (["C1", "C2", "C9"], np.zeros((3, 2), np.float16))}
        concepts, kept, files = read_release(folder, embeddings)
        assert concepts["cui"].to_list() == ["C1", "C2"]
        assert kept.rows() == [("C1", "isa", "C2", "MEG")]
        assert files["vocab.csv"]["dropped"] == {"no embedding": 1}
        assert files["triplets.jsonl"]["dropped"] == {"no concept at an end": 1}

    def test_loops_duplicates_and_second_names(self, tmp_path):
        triplets = _triplet("C1", "isa", "C2") * 2 + _triplet("C1", "isa", "C1")
        folder = _folder(tmp_path, "C1\ta\nC1\tA\nC1\ta\nC2\tb\n", triplets)
        concepts, kept, files = read_release(folder, {})
        assert concepts["synonyms"].to_list() == [["A"], []]
        assert files["vocab.csv"] == {"read": 4, "dropped": {"same name": 1}, "kept": 3}
        assert kept.height == 1
        assert files["triplets.jsonl"]["dropped"] == {"inside one concept": 1, "same fact": 1}

    def test_parents_of_what_is_no_concept_are_dropped(self, tmp_path):
        folder = _folder(tmp_path, "C1\ta\nC2\tb\n", _triplet("C1", "isa", "C2"))
        (folder / "vocab_parents.jsonl").write_text('{"C1": ["C2", "C9"]}\n{"C9": ["C1"]}\n')
        main(ReleaseCommand, ["--folder", str(folder), "--out", str(tmp_path / "out")])
        parents = read_parents(tmp_path / "out" / "parents.parquet")
        assert parents.rows() == [("C1", ["C2", "C9"])]
        files = read_json(tmp_path / "out" / "summary.json")["files"]
        assert files["vocab_parents.jsonl"]["dropped"] == {"no concept": 1}

    def test_a_concept_is_not_its_own_parent(self, tmp_path):
        folder = _folder(tmp_path, "C1\ta\nC2\tb\n", _triplet("C1", "isa", "C2"))
        (folder / "vocab_parents.jsonl").write_text('{"C1": ["C1", "C2"], "C2": ["C2"]}\n')
        main(ReleaseCommand, ["--folder", str(folder), "--out", str(tmp_path / "out")])
        parents = read_parents(tmp_path / "out" / "parents.parquet")
        assert parents.rows() == [("C1", ["C2"]), ("C2", [])]
        files = read_json(tmp_path / "out" / "summary.json")["files"]
        assert files["vocab_parents.jsonl"]["concepts_among_their_own_parents"] == 2

    def test_names_with_quotes_and_line_separators(self, tmp_path):
        folder = _folder(tmp_path, 'C1\t"a\u2028b\nC2\tb"\n', _triplet("C1", "isa", "C2"))
        assert read_names(folder / "vocab.csv")["name"].to_list() == ['"a\u2028b', 'b"']


class TestBrokenFiles:
    @pytest.mark.parametrize(
        ("vocabulary", "triplets", "message"),
        [
            ("C1\ta\nC2\n", "", "vocab.csv line 2 has 1 columns .* expected a CUI and a name"),
            ("C1\ta\nC2\tb", "", "vocab.csv line 2, the last one, has no line end"),
            ("C1\ta\n\tb\n", "", "vocab.csv line 2: expected a CUI and a name"),
            ("C1\ta\n", '{"a": "C1", "rel', "triplets.jsonl line 1 is not JSON"),
            ("C1\ta\n", '{"a": "C1", "rel": "x"}\n', "line 1: expected strings a, rel and b"),
            ("C1\ta\n", "[]\n", "line 1: expected a JSON object"),
            ("", '{"a": "C1", "rel": "isa", "b": "C2"}', "no concept of"),
            ("C1\ta\n", "", "triplets.jsonl is empty"),
        ],
    )
    def test_file_line_and_expectation(self, tmp_path, vocabulary, triplets, message):
        with pytest.raises(InputError, match=message):
            read_release(_folder(tmp_path, vocabulary, triplets), {})

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match=r"vocab.csv does not exist; give the umls/ folder"):
            read_release(tmp_path, {})

    def test_not_utf8(self, tmp_path):
        (tmp_path / "vocab.csv").write_bytes(b"C1\ta\nC2\t\xff\n")
        with pytest.raises(InputError, match="not UTF-8"):
            read_names(tmp_path / "vocab.csv")

    @pytest.mark.parametrize("values", ['"C2"', "[1, 2]", '["C2", 3]'])
    def test_lists_that_are_none(self, tmp_path, values):
        (tmp_path / "p.jsonl").write_text(f'{{"C1": {values}}}\n')
        with pytest.raises(InputError, match="line 1: expected a CUI and a list"):
            read_parent_lists(tmp_path / "p.jsonl")
