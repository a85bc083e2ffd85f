import math

import torch
from torch.nn import functional

from meg.training.losses import back_mapping, listwise, nt_xent


class TestNtXent:
    def test_equals_the_plain_formula(self):
        left, right = torch.randn(4, 8), torch.randn(4, 8)
        groups = torch.tensor([0, 1, 0, 2])  # rows 0 and 2 are one concept
        temperature = 0.3
        total = 0.0
        for a, b in ((left, right), (right, left)):
            for i in range(4):
                cosines = [functional.cosine_similarity(a[i], b[j], dim=0) for j in range(4)]
                kept = [j for j in range(4) if j == i or groups[i] != groups[j]]
                mass = sum(math.exp(cosines[j] / temperature) for j in kept)
                total -= math.log(math.exp(cosines[i] / temperature) / mass)
        found = nt_xent(left, right, groups, temperature)
        torch.testing.assert_close(found, torch.tensor(total / 8), atol=1e-5, rtol=0)


class TestListwise:
    def test_equals_cross_entropy_for_questions_of_unequal_size(self):
        scores = torch.tensor([0.1, -2.0, 0.7, 1.5, -0.3])
        question, gold = torch.tensor([0, 0, 0, 1, 1]), torch.tensor([2, 0])
        found = listwise(scores, question, gold, scale=2.0)
        first = functional.cross_entropy(2 * scores[:3], torch.tensor(2))
        second = functional.cross_entropy(2 * scores[3:], torch.tensor(0))
        torch.testing.assert_close(found, torch.stack([first, second]))

    def test_large_scores_do_not_overflow(self):
        found = listwise(torch.tensor([1e4, 0.0]), torch.tensor([0, 0]), torch.tensor([0]), 1.0)
        assert found.tolist() == [0.0]


class TestBackMapping:
    def test_is_zero_for_parallel_and_two_for_opposite_vectors(self):
        x = torch.randn(3, 5)
        torch.testing.assert_close(back_mapping(2 * x, x), torch.tensor(0.0), atol=1e-6, rtol=0)
        torch.testing.assert_close(back_mapping(-x, x), torch.tensor(2.0), atol=1e-6, rtol=0)
