"""A store returns what was written, opened without reading it, or says what is wrong."""

import tempfile
from pathlib import Path

import h5py
import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kg.graph.tables import CONCEPTS
from kg.shared.errors import InputError
from kg.store import EmbeddingStore, matching_rows, write_store

CUIS = ["C1", "C2", "C30"]
VECTORS = np.array([[1, 0], [0.5, 2], [-3, 4]], dtype=np.float32)


def _store(folder: Path, cuis=CUIS, vectors=VECTORS) -> EmbeddingStore:
    write_store(folder / "e.h5", pl.Series(cuis), vectors, {"dim": 2}, {"mrr": 0.5})
    return EmbeddingStore(folder / "e.h5")


def _concepts(cuis: list[str]) -> pl.DataFrame:
    return pl.DataFrame([(cui, cui, [], [], None) for cui in cuis], CONCEPTS, orient="row")


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1), min_size=1
    ),
    st.sampled_from([np.float16, np.float32]),
    st.integers(1, 5),
)
def test_whatever_is_written_is_read(names, dtype, dim):
    cuis = sorted(set(names), key=str.encode)
    vectors = np.arange(len(cuis) * dim, dtype=dtype).reshape(len(cuis), dim)
    with tempfile.TemporaryDirectory() as folder:
        store = _store(Path(folder), cuis, vectors)
        assert store.embedding.dtype == dtype
        assert (store.get(cuis) == vectors).all()
        assert (store.rows(cuis) == np.arange(len(cuis))).all()


class TestSpace:
    def test_measuring_again_changes_nothing(self, tmp_path):
        write_store(tmp_path / "again.h5", pl.Series(CUIS), VECTORS, {"dim": 2}, {"mrr": 0.6})
        assert EmbeddingStore(tmp_path / "again.h5").space == _store(tmp_path).space

    def test_other_vectors_of_one_name_are_told_apart(self, tmp_path):
        space = _store(tmp_path).space
        for cuis, vectors in ((CUIS, -VECTORS), (["C1", "C2", "C4"], VECTORS)):
            assert _store(tmp_path, cuis, vectors).space != space

    def test_an_extended_store_keeps_it(self, tmp_path):
        write_store(tmp_path / "more.h5", pl.Series(["C0"]), VECTORS[:1], {}, {}, "given")
        assert EmbeddingStore(tmp_path / "more.h5").space == "given"

    @pytest.mark.parametrize(
        ("metrics", "space"),
        [
            ('{"mrr": 0.5}', "fe410d388a5dfeb7"),
            ("{}", "10e1d341860952d6"),
        ],
    )
    def test_a_file_without_one_keeps_that_of_before(self, tmp_path, metrics, space):
        """Checkpoints name it."""
        _store(tmp_path)
        with h5py.File(tmp_path / "e.h5", "a") as file:
            del file.attrs["space"]
            file.attrs["metrics"] = metrics
        assert EmbeddingStore(tmp_path / "e.h5").space.startswith(space)


class TestLookUp:
    def test_in_any_order_and_repeated(self, tmp_path):
        store = _store(tmp_path)
        assert store.get(["C30", "C1", "C30"]).tolist() == [[-3, 4], [1, 0], [-3, 4]]
        assert store.get(["C1"]).dtype == np.float32
        assert store.get([]).shape == (0, 2)

    @pytest.mark.parametrize("cui", ["C0", "C3", "C300", "C9", "", "C30 and longer", "C30\0"])
    def test_what_is_not_there_is_named(self, tmp_path, cui):
        store = _store(tmp_path)
        assert cui not in store
        assert "C30" in store
        with pytest.raises(InputError, match=f"1 of 2 cuis are not in .*first {cui}"):
            store.get(["C1", cui])

    def test_vectors_are_mapped_not_read(self, tmp_path):
        assert isinstance(_store(tmp_path).embedding, np.memmap)

    def test_attributes(self, tmp_path):
        store = _store(tmp_path)
        assert (store.attributes["config"], store.attributes["metrics"]) == (
            {"dim": 2},
            {"mrr": 0.5},
        )
        assert (len(store), store.dim) == (3, 2)

    def test_places_of_cuis_in_a_list(self):
        assert matching_rows(["b", "a"], pl.Series(["a", "x", "b"])).tolist() == [1, -1, 0]


class TestCheckAgainstConcepts:
    def test_the_same_rows_pass(self, tmp_path):
        _store(tmp_path).check(_concepts(CUIS))

    @pytest.mark.parametrize("cuis", [CUIS[:2], [*CUIS, "C4"], ["C1", "C2", "C31"]])
    def test_other_rows_do_not(self, tmp_path, cuis):
        with pytest.raises(InputError, match="made from other concepts"):
            _store(tmp_path).check(_concepts(cuis))


class TestRefused:
    def test_vectors_that_are_not_finite(self, tmp_path):
        with pytest.raises(InputError, match=r"1 vectors are not finite \(first C2"):
            _store(tmp_path, vectors=np.where(VECTORS == 2, np.nan, VECTORS))
        assert not list(tmp_path.iterdir())

    @pytest.mark.parametrize("vectors", [VECTORS[:2], VECTORS.astype(np.float64), VECTORS[:, 0]])
    def test_wrong_number_or_type(self, tmp_path, vectors):
        with pytest.raises(InputError, match="expected one float16 or float32 row each"):
            _store(tmp_path, vectors=vectors)

    @pytest.mark.parametrize(
        ("cuis", "first"),
        [(["C1", "C30", "C2"], "C2"), (["C1", "C1", "C2"], "C1"), (["C1", "C1\0", "C2"], "C1\0")],
    )
    def test_cuis_that_cannot_be_looked_up(self, tmp_path, cuis, first):
        with pytest.raises(InputError) as error:
            _store(tmp_path, cuis)
        assert f"first {first!r}" in str(error.value)
        assert not list(tmp_path.iterdir())

    def test_a_cui_that_ends_in_a_null_alone(self, tmp_path):
        with pytest.raises(InputError, match=r"first 'C1.x00'"):
            _store(tmp_path, ["C1\0"], VECTORS[:1])

    def test_missing_file(self, tmp_path):
        with pytest.raises(InputError, match="does not exist"):
            EmbeddingStore(tmp_path / "none.h5")

    @pytest.mark.parametrize(
        "lost", ["bytes", "all", "attribute", "config", "data set", "group", "rows"]
    )
    def test_a_file_that_is_not_whole(self, tmp_path, lost):
        _store(tmp_path)
        path = tmp_path / "e.h5"
        if lost in ("bytes", "all"):
            path.write_bytes(path.read_bytes()[:-8] if lost == "bytes" else b"no HDF5")
        else:
            with h5py.File(path, "r+") as file:
                if lost == "attribute":
                    del file.attrs["config"]
                elif lost == "config":
                    file.attrs["config"] = "{"
                elif lost == "group":
                    del file["cui"]
                    file.create_group("cui")
                elif lost == "rows":
                    fewer = file["embedding"][:-1]
                    del file["embedding"]
                    file["embedding"] = fewer
                else:
                    del file["cui"]
        with pytest.raises(InputError, match=r"e\.h5 is not a whole (store|HDF5 file)"):
            EmbeddingStore(path)

    def test_a_file_in_another_layout(self, tmp_path):
        with h5py.File(tmp_path / "other.h5", "w") as file:
            file.create_dataset("C1", data=[1.0])
        with pytest.raises(InputError, match=r"kg\.store import"):
            EmbeddingStore(tmp_path / "other.h5")
