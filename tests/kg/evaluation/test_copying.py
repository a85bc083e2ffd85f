"""Answers copied from the nearest nodes, by a loop and beside a decoder."""

import pytest
import torch
from torch.nn import functional as F

from kg.evaluation.copying import SHARPNESS, combined_scorer, copy_scorer
from kg.evaluation.ranking import Answers, questions_of
from kg.graph.split import Graph

NODES = 8


def graph(generator):
    rows = torch.stack(
        [torch.randint(high, (30,), generator=generator) for high in (NODES, 2, NODES)], dim=1
    )
    return Graph(NODES, ("p", "q"), torch.unique(rows, dim=0))


@pytest.mark.parametrize("relation", [0, 1, 2, 3])
def test_shares_are_those_of_a_loop(relation):
    """Of a head's answers by its own near nodes; heads by those near to each candidate."""
    generator = torch.Generator().manual_seed(0)
    train, vectors = graph(generator), torch.randn(NODES, 3, generator=generator)
    facts = {tuple(row) for row in train.triplets.tolist()}
    cosine = F.normalize(vectors, dim=1) @ F.normalize(vectors, dim=1).T
    weight = cosine.clamp(min=0).fill_diagonal_(0) ** SHARPNESS
    weight /= weight.sum(1, keepdim=True).clamp(min=1e-9)

    def share(head, tail):
        return sum(
            weight[head, near].item()
            for near in range(NODES)
            if near != head and (near, relation % 2, tail) in facts
        )

    got = copy_scorer(vectors, train)(torch.arange(NODES), torch.full((NODES,), relation))
    expected = torch.tensor([[share(h, t) for t in range(NODES)] for h in range(NODES)])
    # The cosines are compared in bfloat16, three digits, and go into a tenth power.
    torch.testing.assert_close(got, expected if relation < 2 else expected.T, atol=0.06, rtol=0)


@pytest.mark.parametrize("good", ["copied", "decoder"])
def test_the_better_one_decides(good):
    """One of the two knows the validation answers, the other ranks them last."""
    asked = graph(torch.Generator().manual_seed(1))
    known = Answers([asked])

    def right(node, relation):
        row, answer = known.of(node, relation)
        scores = torch.zeros(len(node), NODES)
        scores[row, answer] = 1.0
        return scores

    def wrong(node, relation):
        return 1 - right(node, relation)

    score, copied = (wrong, right) if good == "copied" else (right, wrong)
    node, relation, answer = questions_of(asked).T
    combined = combined_scorer(score, copied, asked, known)(node, relation)
    best = combined.gather(1, answer.unsqueeze(1)).squeeze(1)
    assert torch.equal(best, combined.amax(1))
