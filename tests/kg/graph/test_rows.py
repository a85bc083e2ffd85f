"""Rows that are made when they are read: the same in chunks of any size."""

import numpy as np
import polars as pl
import pytest
import torch
from torch.nn import functional as F

from kg.encoders.inputs import node_features
from kg.encoders.lineage import lineage
from kg.evaluation.baselines import smoothed
from kg.graph.projection import Principal, Standard
from kg.graph.rows import Rows, stored_rows, whole
from kg.graph.split import Graph
from kg.store import EmbeddingStore, write_store
from tests.kg.encoder_run import command, write_tables

NODES = 13
VECTORS = (3 + torch.randn(NODES, 6, generator=torch.Generator().manual_seed(0))).half().float()
SPECTRAL = torch.randn(NODES, 4, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def mapped(tmp_path):
    """The vectors in a store: the file and its rows."""
    path = tmp_path / "features.h5"
    names = pl.Series([f"C{i:02}" for i in range(NODES)])
    write_store(path, names, VECTORS.numpy().astype(np.float16), {}, {})
    return path, stored_rows(EmbeddingStore(path).embedding)


@pytest.fixture(params=[1, 5, 13, 100])
def size(request, monkeypatch):
    monkeypatch.setattr("kg.graph.rows.ROWS", request.param)


@pytest.fixture
def hierarchy():
    """Each node has up to two parents of a lower number, and a few have other links."""
    rows = [(i, 0, i // 2) for i in range(1, NODES)] + [(i, 0, i // 3) for i in range(4, NODES)]
    return Graph(NODES, ("is_a", "q"), torch.tensor([*rows, (4, 1, 0), (0, 1, 9)]))


@pytest.mark.usefixtures("size")
class TestSize:
    def test_mean_and_deviation(self, mapped):
        standard = Standard.of(mapped[1])
        torch.testing.assert_close(standard.mean, VECTORS.mean(0))
        torch.testing.assert_close(standard.deviation, VECTORS.std(0))
        torch.testing.assert_close(whole(standard.rows(mapped[1])), standard(VECTORS))

    def test_principal_axes(self, mapped):
        principal, centred = Principal.of(mapped[1], 3), VECTORS - VECTORS.mean(0)
        axes = torch.linalg.eigh((centred.T @ centred).double()).eigenvectors.float().flip(1)
        axes = axes[:, :3] * axes[:, :3].sum(0).sign()
        torch.testing.assert_close(principal.axes, axes, atol=1e-4, rtol=0)
        torch.testing.assert_close(principal(mapped[1]), centred @ axes, atol=1e-4, rtol=0)

    def test_node_features(self, mapped):
        standard = Standard.of(VECTORS)
        features = node_features(standard.rows(mapped[1]), SPECTRAL)
        text = standard(VECTORS)
        torch.testing.assert_close(features.own, text)
        components = Principal.of(text, 4)(text)
        spectral = (SPECTRAL - SPECTRAL.mean(0)) / SPECTRAL.std(0)
        sent = torch.cat([components / components.std(), spectral], dim=1)
        torch.testing.assert_close(features.sent, sent, atol=1e-4, rtol=0)
        half = node_features(standard.rows(mapped[1]), SPECTRAL, torch.bfloat16)
        assert torch.equal(half.own, features.own.bfloat16())
        assert torch.equal(half.sent, features.sent.bfloat16())

    def test_lineage(self, mapped, hierarchy):
        child, _, parent = hierarchy.triplets[:-2].T
        unit = total = F.normalize(VECTORS, dim=1)
        for _ in range(2):
            up = torch.zeros_like(unit).index_add_(0, child, total[parent])
            total = unit + F.normalize(up, dim=1)
        got = whole(lineage(mapped[1], hierarchy))
        torch.testing.assert_close(got, F.normalize(total, dim=1))

    def test_smoothed(self, hierarchy):
        """Of node 12, whose neighbours are 6 and 4."""
        first = smoothed(VECTORS, hierarchy)[torch.tensor([12])]
        got = whole(smoothed(VECTORS, hierarchy))
        torch.testing.assert_close(got[12:], first)
        torch.testing.assert_close(got[12, 6:12], F.normalize(VECTORS[[6, 4]].mean(0), dim=0))


def test_many_chunks_are_added_up_exactly(monkeypatch):
    monkeypatch.setattr("kg.graph.rows.ROWS", 1)
    value = torch.full((20_000, 1), 1000.1)
    standard = Standard.of(value)
    assert torch.equal(standard.mean, value[0])
    assert standard.deviation == 0


def test_the_file_is_not_written_to(mapped):
    path, rows = mapped
    before = path.read_bytes()
    rows[torch.arange(4)].zero_()
    Standard.of(rows).rows(rows)[torch.arange(4)].zero_()
    assert path.read_bytes() == before
    assert torch.equal(whole(rows), VECTORS)


def test_no_more_than_a_chunk_is_asked_for(monkeypatch, hierarchy):
    monkeypatch.setattr("kg.graph.rows.ROWS", 4)
    asked = []

    def make(rows):
        asked.append(len(rows))
        return VECTORS[rows]

    matrix = Rows(VECTORS.shape, make)
    Principal.of(Standard.of(matrix).rows(matrix), 3)(matrix)
    node_features(matrix, SPECTRAL)
    assert max(asked) == 4


def test_training_stores_the_same(tmp_path, monkeypatch):
    """With a hierarchy; whatever the size of a chunk."""
    write_tables(tmp_path, more=[(f"D0{i}", "is_a", f"D0{i // 2}") for i in range(1, 10)])
    stored = []
    for size in (1, 50, 8192):
        monkeypatch.setattr("kg.graph.rows.ROWS", size)
        command(tmp_path, tmp_path / str(size)).run()
        stored.append(EmbeddingStore(tmp_path / str(size) / "out" / "embeddings.h5").embedding)
    for other in stored[1:]:
        np.testing.assert_allclose(other, stored[0], atol=1e-3, rtol=0)
