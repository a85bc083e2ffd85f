import numpy as np
import pytest

from kg.shared.errors import InputError
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
