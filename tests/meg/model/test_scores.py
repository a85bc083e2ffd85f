import torch

from meg.model.scores import branch_means


class TestBranchMeans:
    def test_averages_within_branches(self):
        means = branch_means(torch.tensor([1.0, 3.0, 5.0]), torch.tensor([0, 0, 1]), 2)
        assert means.tolist() == [2.0, 5.0]
