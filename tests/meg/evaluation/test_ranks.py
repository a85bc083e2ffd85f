import numpy as np
import pytest

from meg.evaluation.ranks import Ranked, realistic_rank, summarise
from meg.evaluation.statistics import wilson


@pytest.mark.parametrize(
    ("scores", "rank"), [([3, 2, 1], 1), ([2, 3, 2], 2.5), ([1, 3, 2], 3), ([1, 1, 1], 2)]
)
def test_equal_scores_share_their_places(scores, rank):
    assert realistic_rank(np.array(scores), 0) == rank


def ranked(disease, kind, rank):
    return Ranked("p", disease, "name", kind, {"vectors": rank}, [])


def test_ranks_in_short_over_all_and_by_kind():
    rows = [
        ranked("A", "old", 1),
        ranked("A", "old", 4),
        ranked("B", "new", 2),
        ranked("A", "new", 1),
    ]
    (found,) = summarise(rows).values()
    assert {name: one["n"] for name, one in found.items()} == {"all": 4, "old": 2, "new": 2}
    assert found["old"]["mean_reciprocal_rank"] == pytest.approx((1 + 1 / 4) / 2)
    tops = [found["all"][f"top_{k}"]["share"] for k in (1, 3, 10)]
    assert tops == [0.5, 0.75, 1]
    right = np.array([True, False, True, True])
    assert found["all"]["top_3"]["wilson"] == wilson(right)


def test_each_disease_weighs_the_same_by_disease():
    rows = [ranked("A", "k", 1), ranked("A", "k", 4), ranked("A", "k", 1), ranked("B", "k", 2)]
    found = summarise(rows)["vectors"]["all"]
    assert found["by_disease"]["n"] == 2
    assert found["by_disease"]["top_1"] == pytest.approx((2 / 3 + 0) / 2)
    assert found["top_1"]["share"] == 0.5
