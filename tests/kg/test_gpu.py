"""On a GPU as on the CPU: `make test-gpu`."""

import json

import numpy as np
import pytest
import torch

from kg.config import LookupConfig, SAGEConfig
from kg.encoders.graphsage import sage_model
from kg.encoders.inputs import NodeFeatures
from kg.encoders.link_prediction import all_vectors
from kg.encoders.lookup import lookup_model
from kg.graph.sampling import build_adjacency
from kg.store import EmbeddingStore
from tests.kg.encoder_run import command, write_tables
from tests.kg.encoders.test_link_prediction import random_features, random_graph

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
def test_vectors_are_those_of_the_cpu(encoder):
    graph = random_graph()
    if encoder == "rotate":
        features = there = None
        model = lookup_model(graph.nodes, 2, LookupConfig(encoder=encoder, dim=8))
    else:
        features = random_features(10)
        there = NodeFeatures(features.own.cuda(), features.sent.cuda())
        config = SAGEConfig(encoder=encoder, dim=8, width=8, spectral_dim=2)
        model = sage_model(5, 5, 2, config, graph.nodes)
    expected = all_vectors(model, features, build_adjacency(graph), bf16=False)
    found = all_vectors(model.cuda(), there, build_adjacency(graph.to("cuda")), bf16=False)
    torch.testing.assert_close(found.cpu(), expected, atol=1e-5, rtol=0)
