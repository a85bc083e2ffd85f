"""On a GPU as on the CPU: `make test-gpu`."""

import json

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from kg.config import EncoderConfig
from kg.graph import Graph
from kg.inputs import NodeFeatures
from kg.link_prediction import LinkPredictor, all_vectors
from kg.sampling import build_adjacency, sample_block
from kg.store import EmbeddingStore
from tests.kg.encoder_run import command, write_tables
from tests.kg.test_link_prediction import random_features, random_graph

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


@pytest.mark.parametrize("encoder", ["graphsage", "edgegraphsage", "distmult"])
def test_an_encoder_learns(tables, tmp_path, encoder):
    command(tables, tmp_path, encoder, epochs=15, patience=15).run()
    metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert metrics["link_prediction"]["test"]["mrr"] > 0.3
    assert np.isfinite(EmbeddingStore(tmp_path / "out" / "embeddings.h5").embedding).all()


@pytest.mark.parametrize("encoder", ["edgegraphsage", "rotate"])
def test_vectors_are_those_of_the_cpu(encoder, monkeypatch):
    # A training has allowed products in TF32.
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    graph, features = random_graph(), random_features(10)
    config = EncoderConfig(encoder=encoder, width=8, dim=8, spectral_dim=2) if (
        encoder == "edgegraphsage"
    ) else EncoderConfig(encoder=encoder, dim=8)  # fmt: skip
    model = LinkPredictor(features, 2, config, graph.nodes)
    expected = all_vectors(model, features, build_adjacency(graph), bf16=False)
    there = NodeFeatures(features.own.cuda(), features.sent.cuda())
    found = all_vectors(model.cuda(), there, build_adjacency(graph.to("cuda")), bf16=False)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=0)


def test_the_draw_is_uniform():
    leaves = 20
    star = Graph(leaves + 1, ("r",), torch.tensor([[0, 0, leaf + 1] for leaf in range(leaves)]))
    rows = torch.zeros(4000, dtype=torch.int64, device="cuda")
    generator = torch.Generator("cuda").manual_seed(0)
    block = sample_block(build_adjacency(star.to("cuda")), rows, 5, generator=generator)
    counts = torch.bincount(block.source, minlength=leaves + 1)[1:]
    assert chisquare(counts.cpu().numpy()).pvalue > 0.001
