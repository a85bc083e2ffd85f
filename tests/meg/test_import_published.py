import pytest
import torch

from kg.shared.errors import InputError
from meg.model.published import adapter_of, read_state


class TestState:
    """What published checkpoints compute: tests/published/test_importing.py."""

    def test_without_adapter_is_refused(self):
        with pytest.raises(InputError, match="no adapter"):
            adapter_of({"language_decoder.base_model.model.lm_head.weight": torch.zeros(2, 2)})

    def test_is_read_without_what_a_training_left_beside_it(self, tmp_path):
        torch.save({"mapper.fc1.weight": torch.zeros(2, 2)}, tmp_path / "pytorch_model.bin")
        torch.save(InputError("anything but a tensor"), tmp_path / "training_args.bin")
        assert set(read_state(tmp_path)) == {"mapper.fc1.weight"}

    def test_is_never_unpickled(self, tmp_path):
        torch.save({"x": InputError("anything but a tensor")}, tmp_path / "bad.pt")
        with pytest.raises(InputError, match="weights_only"):
            read_state(tmp_path / "bad.pt")
