import numpy as np
import polars as pl
import pytest

from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store
from meg.prompts.vectors import Vectors


class TestPermuted:
    def test_no_concept_keeps_its_own_and_all_are_used(self, store):
        cuis = [cui.decode() for cui in store.cuis]
        own, other = Vectors(store)(cuis), Vectors(store, "permuted", seed=3)(cuis)
        assert not (own == other).all(axis=1).any()
        assert np.array_equal(np.sort(own, axis=0), np.sort(other, axis=0))

    def test_the_seed_decides(self, store):
        cuis = [cui.decode() for cui in store.cuis]
        first = Vectors(store, "permuted", seed=1)(cuis)
        assert np.array_equal(first, Vectors(store, "permuted", seed=1)(cuis))
        assert not np.array_equal(first, Vectors(store, "permuted", seed=2)(cuis))


class TestMissing:
    @pytest.mark.parametrize("kind", ["store", "permuted"])
    def test_an_unknown_cui_is_an_error(self, store, kind):
        with pytest.raises(InputError, match="C99"):
            Vectors(store, kind)(["C01", "C99"])

    def test_without_a_store_no_concept_is_known(self):
        vectors = Vectors(None, "permuted")
        assert not vectors.known("C01")
        assert vectors([]).shape == (0, vectors.dim)
        with pytest.raises(InputError, match="C01 has no vector: there is no store"):
            vectors(["C01"])

    def test_no_concepts_give_an_empty_matrix(self, store):
        assert Vectors(store)([]).shape == (0, store.dim)


class TestPooled:
    def test_a_group_of_one_is_the_concept(self, store):
        found = Vectors(store)(["C01", ("C01",), ("C02", "C03")])
        assert np.array_equal(found[0], Vectors(store)(["C01"])[0])
        assert found[1] == pytest.approx(found[0])

    def test_is_the_mean_at_the_length_of_its_concepts(self, store):
        one, other = Vectors(store)(["C01", "C02"])
        (found,) = Vectors(store)([("C01", "C02")])
        lengths = np.linalg.norm([one, other], axis=1)
        assert np.linalg.norm(found) == pytest.approx(lengths.mean(), rel=1e-5)
        assert found / np.linalg.norm(found) == pytest.approx(
            (one + other) / np.linalg.norm(one + other), rel=1e-4
        )
        assert found.dtype == np.float32

    def test_the_order_does_not_matter(self, store):
        vectors = Vectors(store)
        assert vectors([("C01", "C02", "C05")]) == pytest.approx(vectors([("C05", "C01", "C02")]))

    def test_each_part_has_its_own_length(self, tmp_path):
        # Halves of length 1, as SAGE with a spectral half makes them.
        rows = np.array([[1, 0, 1, 0], [0, 1, 1, 0]], dtype=np.float32)
        config = {"encoder": "edgegraphsage", "spectral_dim": 2}
        write_store(tmp_path / "e.h5", pl.Series(["A", "B"]), rows, config, {})
        store = EmbeddingStore(tmp_path / "e.h5")
        assert store.parts == (2, 2)
        (found,) = Vectors(store)([("A", "B")])
        assert found == pytest.approx(np.array([0.5**0.5, 0.5**0.5, 1, 0]))

    def test_permuted_ones_are_pooled_too(self, store):
        vectors = Vectors(store, "permuted", seed=3)
        one, other = vectors(["C01", "C02"])
        (found,) = vectors([("C01", "C02")])
        assert found / np.linalg.norm(found) == pytest.approx(
            (one + other) / np.linalg.norm(one + other), rel=1e-4
        )
        assert not np.allclose(found, Vectors(store)([("C01", "C02")])[0])

    def test_an_unknown_one_is_named(self, store):
        with pytest.raises(InputError, match="C99"):
            Vectors(store)([("C01", "C99")])
