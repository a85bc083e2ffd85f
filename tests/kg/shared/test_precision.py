"""bfloat16 only where the device is faster with it."""

import logging

import pytest
import torch

from kg.config import SAGEConfig
from kg.shared import precision


@pytest.fixture
def fresh():
    """Nothing is known of the machine yet."""
    precision.fast_bfloat16.cache_clear()
    yield
    precision.fast_bfloat16.cache_clear()


@pytest.mark.usefixtures("fresh")
class TestWithout:
    def test_float32_stands_in_and_is_announced_once(self, caplog, monkeypatch):
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
        config = SAGEConfig()
        with caplog.at_level(logging.WARNING):
            assert not precision.as_computed(config).bf16
            assert not precision.as_computed(config).bf16
        assert caplog.text.count("is without instructions of its own: computing in float32") == 1

    @pytest.mark.parametrize(("speed", "fast"), [(0.4, False), (3.1, True)])
    def test_instructions_have_to_pay(self, caplog, monkeypatch, speed, fast):
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
        monkeypatch.setattr(precision, "_speed", lambda: speed)
        assert precision.fast_bfloat16() is fast
        assert ("0.4 times as fast as float32" in caplog.text) is not fast

    @pytest.mark.parametrize("fast", [False, True])
    def test_a_gpu_is_asked(self, monkeypatch, fast):
        monkeypatch.setattr(precision.processes, "device", lambda: torch.device("cuda", 0))
        monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda **_: fast)
        assert precision.fast_bfloat16() is fast

    def test_the_speed_is_measured_on_one_thread(self, monkeypatch):
        """Two threads on busy cores say 1 to 8 of one and the same CPU."""
        used = set()

        def product(x, weight):
            used.add(torch.get_num_threads())
            return x @ weight.T

        monkeypatch.setattr(torch.nn.functional, "linear", product)
        monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
        monkeypatch.setattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", lambda: True)
        before = torch.get_num_threads()
        torch.set_num_threads(2)
        try:
            precision.fast_bfloat16()
            assert torch.get_num_threads() == 2
        finally:
            torch.set_num_threads(before)
        assert used == {1}


def test_asked_for_it_is_used(monkeypatch):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda: True)
    config = SAGEConfig()
    assert precision.as_computed(config) is config
    plain = config.model_copy(update={"bf16": False})
    assert precision.as_computed(plain) is plain
