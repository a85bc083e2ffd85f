"""bfloat16 only where the device has instructions for it."""

import logging

import pytest
import torch

from kg import precision
from kg.config import EncoderConfig


@pytest.fixture
def without(monkeypatch):
    """A machine without bfloat16."""
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    precision.fast_bfloat16.cache_clear()
    yield
    precision.fast_bfloat16.cache_clear()


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about CPUs")
class TestWithout:
    @pytest.mark.usefixtures("without")
    def test_float32_stands_in_and_is_announced_once(self, caplog):
        config = EncoderConfig(encoder="edgegraphsage")
        with caplog.at_level(logging.WARNING):
            assert not precision.as_computed(config).bf16
            assert not precision.as_computed(config).bf16
        assert caplog.text.count("float32 instead") == 1


def test_asked_for_it_is_used(monkeypatch):
    monkeypatch.setattr(precision, "fast_bfloat16", lambda: True)
    config = EncoderConfig(encoder="edgegraphsage")
    assert precision.as_computed(config) is config
    plain = config.model_copy(update={"bf16": False})
    assert precision.as_computed(plain) is plain
