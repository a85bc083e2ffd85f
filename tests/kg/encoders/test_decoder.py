"""ComplEx scores and the sampled softmax."""

import torch

from kg.encoders.decoder import ComplEx, sampled_softmax_loss


def test_the_score_is_complex_arithmetic():
    torch.manual_seed(0)
    decoder = ComplEx(3, 8)
    with torch.no_grad():
        decoder.relation.normal_()
        decoder.scale.zero_()
    head, tail, relation = torch.randn(5, 8), torch.randn(5, 8), torch.tensor([0, 1, 2, 0, 1])

    def complex_(x):
        return torch.complex(*x.chunk(2, dim=-1))

    got = (decoder(head, relation) * tail).sum(1)
    product = complex_(head) * complex_(decoder.relation[relation]) * complex_(tail).conj()
    torch.testing.assert_close(got, product.sum(1).real)


def test_direction_matters():
    torch.manual_seed(0)
    decoder = ComplEx(1, 8)
    one, two, relation = torch.randn(1, 8), torch.randn(1, 8), torch.tensor([0])
    forth, back = (decoder(one, relation) * two).sum(), (decoder(two, relation) * one).sum()
    assert (forth - back).abs() > 1e-3


class TestLoss:
    generator = torch.Generator().manual_seed(0)
    queries = 0.5 * torch.randn(2, 4, generator=generator)
    nodes = torch.randn(6, 4, generator=generator)

    def test_with_all_nodes_as_negatives_it_is_the_cross_entropy(self):
        """The right answers are masked among the negatives, so the positive stands for itself."""
        right = torch.tensor([2, 5])
        loss = sampled_softmax_loss(
            self.queries, self.nodes[right], of_query=torch.arange(2), negatives=self.nodes,
            weight=torch.ones(6), known=(torch.arange(2), right),
        )  # fmt: skip
        expected = torch.nn.functional.cross_entropy(self.queries @ self.nodes.T, right)
        torch.testing.assert_close(loss, expected)

    def test_a_sample_stands_for_all(self):
        """The estimate of the partition over 6,000 nodes from 1,000 of them is near."""
        generator = torch.Generator().manual_seed(0)
        many = torch.randn(6000, 4, generator=generator)
        some = many[torch.randperm(6000, generator=generator)[:1000]]
        full, sampled = (
            sampled_softmax_loss(
                self.queries, self.nodes[:2], of_query=torch.arange(2), negatives=negatives,
                weight=torch.full((len(negatives),), 6000 / len(negatives)),
                known=(torch.zeros(0, dtype=torch.long),) * 2,
            )
            for negatives in (many, some)
        )  # fmt: skip
        assert abs(full - sampled) < 0.1

    def test_known_answers_do_not_count(self):
        known = torch.arange(2), torch.full((2,), 3)
        losses = []
        for shift in (0.0, 100.0):
            negatives = self.nodes.clone()
            negatives[3] += shift
            losses.append(
                sampled_softmax_loss(
                    self.queries,
                    self.nodes[:2],
                    of_query=torch.arange(2),
                    negatives=negatives,
                    weight=torch.ones(6),
                    known=known,
                )
            )
        assert losses[0] == losses[1]
