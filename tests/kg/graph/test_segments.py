"""GraphSAGE: messages, their mean, and who is needed for whom."""

import pytest
import torch
from torch_geometric.nn import SAGEConv

from kg.encoders.sage import MeanSAGE
from kg.graph.segments import mean_of_rows, starts, sum_of_rows


class TestMean:
    start = torch.tensor([0, 2, 2, 5])
    source = torch.tensor([3, 1, 0, 3, 3])

    def test_values(self):
        x = torch.arange(8.0).view(4, 2)
        expected = [[4.0, 5.0], [0.0, 0.0], [4.0, 5.0]]
        assert mean_of_rows(x, self.start, self.source).tolist() == expected

    def test_gradient(self):
        x = torch.randn(4, 3, dtype=torch.float64, requires_grad=True)
        assert torch.autograd.gradcheck(lambda x: mean_of_rows(x, self.start, self.source), (x,))

    @pytest.mark.parametrize("counts", [[0, 3, 0, 10, 1, 0], [14], [0, 0], [4, 4, 4, 4], []])
    def test_sums_in_pieces(self, counts, monkeypatch):
        """Rows without terms, of one piece, and of several; pieces that end where rows do."""
        monkeypatch.setattr("kg.graph.segments.PIECE", 4)
        start = starts(torch.tensor(counts, dtype=torch.int64))
        source = torch.randint(9, (sum(counts),), generator=torch.Generator().manual_seed(0))
        x = torch.randint(100, (9, 3)).double()
        expected = [x[row].sum(0) for row in source.split(counts)] if counts else []
        found = sum_of_rows(x, start, source, in_pieces=True)
        assert found.tolist() == [row.tolist() for row in expected]
        assert torch.equal(found, sum_of_rows(x, start, source, in_pieces=False))

    def test_the_convolution_equals_pygs(self):
        torch.manual_seed(0)
        ours, x = MeanSAGE(3, 7), torch.randn(4, 3)
        theirs = SAGEConv(3, 7)
        theirs.load_state_dict(ours.state_dict())
        edges = torch.sparse_csr_tensor(self.start, self.source, torch.ones(5), (3, 4))
        edge_index = torch.tensor([[3, 1, 0, 3, 3], [0, 0, 2, 2, 2]])
        torch.testing.assert_close(
            ours((x, x[:3]), edges), theirs((x, x[:3]), edge_index), atol=1e-6, rtol=0
        )
