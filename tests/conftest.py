"""GPUs are hidden, but from tests of the mark `gpu`: results are the same on every machine."""

import os

import pytest
import torch


def pytest_configure(config):
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""


@pytest.fixture(autouse=True)
def _needs_gpu(request):
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("there is no GPU")


@pytest.fixture(autouse=True)
def _full_precision():
    """A training on a GPU allows products in TF32, for the whole process."""
    yield
    torch.set_float32_matmul_precision("highest")
