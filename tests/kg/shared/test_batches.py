import pytest
from hypothesis import given
from hypothesis import strategies as st

from kg.shared.batches import budgeted

LENGTHS = st.lists(st.integers(1, 50), max_size=40)


class TestBudgeted:
    @given(LENGTHS, st.integers(1, 60), st.none() | st.integers(1, 9))
    def test_holds_each_row_once_and_keeps_to_the_budget(self, lengths, budget, most):
        batches = [[lengths[row] for row in batch] for batch in budgeted(lengths, budget, most)]
        assert [length for batch in batches for length in batch] == sorted(lengths)
        assert all(len(batch) * max(batch) <= budget or len(batch) == 1 for batch in batches)
        assert all(len(batch) <= (most or 40) for batch in batches)

    @pytest.mark.parametrize(
        ("budget", "most", "sizes"),
        [(100, None, [5]), (9, None, [3, 1, 1]), (100, 2, [2, 2, 1]), (1, 2, [1] * 5)],
    )
    def test_fills_a_batch_as_far_as_it_may(self, budget, most, sizes):
        assert [len(batch) for batch in budgeted([3, 2, 9, 1, 8], budget, most)] == sizes
