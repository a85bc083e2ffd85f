"""GPUs are hidden, but from tests of the mark `gpu`: results are the same on every machine."""

import os

import pytest
import torch


def pytest_configure(config):
    if config.option.markexpr != "gpu":
        os.environ["CUDA_VISIBLE_DEVICES"] = ""
    if "PYTEST_XDIST_WORKER" in os.environ:
        # Of several workers each computes on one core, and so do the commands that it starts.
        os.environ["OMP_NUM_THREADS"] = "1"
        torch.set_num_threads(1)


def pytest_collection_modifyitems(items):
    """What runs Snakemake or torchrun is slow, and begins first: several workers end together."""
    for item in items:
        if "snakemake" in item.fixturenames:
            item.add_marker("slow")
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.fixture(autouse=True)
def _needs_gpu(request):
    if request.node.get_closest_marker("gpu") and not torch.cuda.is_available():
        pytest.skip("there is no GPU")


@pytest.fixture(autouse=True)
def _full_precision():
    """A training on a GPU allows products in TF32, for the whole process."""
    yield
    torch.set_float32_matmul_precision("highest")
