import pytest
import torch

from meg.config import MapperConfig
from meg.model.mapper import Mapper, build_network


def parameters(network):
    return sum(p.numel() for p in network.parameters())


class TestPublishedSizes:
    def test_4x128_of_the_published_model(self):
        config = MapperConfig(kind="mlp", layers=4, width=128)
        assert parameters(build_network(config, 256, 4096)) == 610_816
        assert parameters(build_network(config, 4096, 256)) == 606_976

    @pytest.mark.parametrize(
        ("kind", "layers", "millions"),
        [("mlp", 2, 1.15), ("mlp", 4, 1.22), ("transformer", 4, 2.18)],
    )
    def test_both_directions_of_the_published_table(self, kind, layers, millions):
        config = MapperConfig(kind=kind, layers=layers, width=128)
        both = parameters(build_network(config, 256, 4096))
        both += parameters(build_network(config, 4096, 256))
        assert round(both / 1e6, 2) == millions


def test_the_heads_of_a_transformer_share_its_width():
    with pytest.raises(ValueError, match="width 130 is not a multiple of the 4 attention heads"):
        MapperConfig(kind="transformer", width=130)


class TestNormalisedOutput:
    @pytest.mark.parametrize("kind", ["linear", "mlp", "transformer"])
    def test_has_the_norm_of_the_embeddings_around_their_mean(self, kind):
        table = torch.randn(500, 16) * 0.1 + 3.0
        mapper = Mapper(MapperConfig(kind=kind, layers=2, width=8), 6, 16)
        mapper.fit_to(table)
        centred = mapper(torch.randn(50, 6)) - table.mean(0)
        expected = (table - table.mean(0)).norm(dim=-1).mean()
        torch.testing.assert_close(centred.norm(dim=-1), expected.expand(50))

    def test_without_it_the_network_is_all_there_is(self):
        mapper = Mapper(MapperConfig(kind="linear", normalise=False), 6, 16)
        mapper.fit_to(torch.randn(500, 16))
        x = torch.randn(3, 6)
        assert torch.equal(mapper(x), mapper.network(x))
        assert parameters(mapper) == 6 * 16 + 16
