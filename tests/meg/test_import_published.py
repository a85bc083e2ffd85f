import pytest
import torch
from safetensors.torch import save_file

from kg.shared.errors import InputError
from meg.config import LoraSettings, MapperConfig
from meg.import_published import ImportPublishedCommand, adapter_of, mapper_of, read_state
from meg.model.checkpoint import build, load


@pytest.fixture
def published(model_config):
    """A model of ours under the published names, with adapters on the attention only."""
    torch.manual_seed(0)
    mapper = MapperConfig(kind="mlp", layers=2, width=8, normalise=False)
    settings = {"mapper": mapper, "lora": LoraSettings(r=2, alpha=64)}
    network, _ = build(model_config.model_copy(update=settings), 6)
    for name, parameter in network.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(parameter)
    state = {f"language_decoder.{name}": p for name, p in network.llm.state_dict().items()}
    layers = enumerate(network.mapper.network.state_dict().items())
    for number, (name, tensor) in layers:
        kind = name.rpartition(".")[2]
        state[f"mapper.G.model.{10 * (number // 2)}.{kind}"] = tensor  # 0, 10, 20: not as strings
        state[f"mapper.F.model.{number // 2}.{kind}"] = torch.zeros(3)
    return network, {name: tensor.detach().clone() for name, tensor in state.items()}


class TestPublished:
    @pytest.mark.parametrize("suffix", ["pt", "safetensors"])
    def test_gives_the_same_logits(self, published, base, store, tmp_path, suffix):
        network, state = published
        file = tmp_path / f"meg.{suffix}"
        (torch.save if suffix == "pt" else save_file)(state, file)
        ImportPublishedCommand(
            published=file, base=base, store=store.path, out=tmp_path / "out"
        ).run()
        again, _, record = load(tmp_path / "out")
        again.llm.to(torch.float32)  # published checkpoints are of bfloat16 bases
        ids = torch.tensor([[3, network.placeholder, 4, 5]])
        rest = torch.randn(1, 6), torch.ones_like(ids), torch.arange(4)[None]
        with torch.no_grad():
            expected, found = network.eval()(ids, *rest), again.eval()(ids, *rest)
        # The base's weights pass through bfloat16; the other tensors are as they were.
        torch.testing.assert_close(found, expected, atol=0.2, rtol=0.05)
        for name, tensor in network.mapper.state_dict().items():
            assert torch.equal(tensor, again.mapper.state_dict()[name])
        assert record.model.lora.r == 2

    def test_without_adapter_or_mapper_is_refused(self, published):
        _, state = published
        with pytest.raises(InputError, match="no adapter"):
            adapter_of({name: t for name, t in state.items() if "lora" not in name})
        with pytest.raises(InputError, match="0 weights and 0 biases"):
            mapper_of({})

    def test_is_read_without_what_a_training_left_beside_it(self, published, tmp_path):
        torch.save(published[1], tmp_path / "pytorch_model.bin")
        torch.save(InputError("anything but a tensor"), tmp_path / "training_args.bin")
        assert set(read_state(tmp_path)) == set(published[1])

    def test_is_never_unpickled(self, tmp_path):
        torch.save({"x": InputError("anything but a tensor")}, tmp_path / "bad.pt")
        with pytest.raises(InputError, match="weights_only"):
            read_state(tmp_path / "bad.pt")
