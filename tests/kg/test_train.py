"""Training from tables to a store, on a graph of groups that their texts do not give away."""

import json

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file

from kg.config import SAGEConfig
from kg.encoders import training
from kg.encoders.link_prediction import learning_rate_at
from kg.graph.tables import read_concepts
from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store
from tests.kg.encoder_run import command, files, write_tables


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    return write_tables(tmp_path_factory.mktemp("tables"))


class TestCommand:
    @pytest.mark.parametrize("encoder", ["graphsage", "edgegraphsage"])
    def test_it_learns(self, tables, tmp_path, encoder):
        command(tables, tmp_path, encoder=encoder, epochs=15, patience=15).run()
        metrics = json.loads((tmp_path / "out" / "metrics.json").read_text())
        rows = metrics["link_prediction"]
        # 120 nodes: chance is about .04; the other members of the group are about ten.
        assert rows["test"]["mrr"] > 0.3
        assert rows["test"]["mrr"] > 2 * rows["text_cosine"]["mrr"]
        assert metrics["probes"]["stored"]["choice_of_known_facts"]["has"] > 0.9
        history = (tmp_path / "out" / "history.jsonl").read_text().splitlines()
        assert [json.loads(row)["epoch"] for row in history] == list(range(1, 16))

    def test_without_a_spectral_part_the_store_holds_the_encoder_alone(self, tables, tmp_path):
        command(tables, tmp_path, spectral_dim=0).run()
        assert EmbeddingStore(tmp_path / "out" / "embeddings.h5").dim == 16

    def test_the_store_fits_the_concepts(self, tables, tmp_path):
        command(tables, tmp_path).run()
        store = EmbeddingStore(tmp_path / "out" / "embeddings.h5")
        store.check(read_concepts(tables / "concepts.parquet"))
        assert store.dim == 16
        parts = [
            np.linalg.norm(part.astype(np.float32), axis=1)
            for part in (store.embedding[:, :10], store.embedding[:, 10:])
        ]
        np.testing.assert_allclose(parts, 1, atol=1e-2)

    def test_a_checkpoint_of_another_config_is_not_used(self, tables, tmp_path, monkeypatch):
        command(tables, tmp_path / "a").run()
        monkeypatch.setattr("kg.train.measure", lambda *a, **k: (_ for _ in ()).throw(OSError))
        with pytest.raises(OSError):  # noqa: PT011
            command(tables, tmp_path / "b", learning_rate=2e-2).run()
        assert (tmp_path / "b" / "state" / "checkpoint.pt").exists()
        monkeypatch.undo()
        command(tables, tmp_path / "b").run()
        assert files(tmp_path / "a") == files(tmp_path / "b")


class TestBestEpoch:
    @staticmethod
    def run_with(monkeypatch, tables, out, rises, **values):
        """A run whose validation MRRs are given; the epochs' weights by epoch."""
        weights = []

        def watch(self):
            weights.append(self.model.decoder.relation.detach().clone())
            return {"mrr": rises[len(weights) - 1]}

        monkeypatch.setattr(training._Run, "_watch", watch)
        command(tables, out, epochs=8, **values).run()
        return weights, load_file(out / "out" / "encoder.safetensors")["decoder.relation"]

    def test_the_weights_are_those_of_the_best(self, tables, tmp_path, monkeypatch):
        weights, kept = self.run_with(
            monkeypatch, tables, tmp_path, [0.1, 0.2, 0.4, 0.3, 0.2, 0.4, 0.3, 0.3], patience=8
        )
        assert len(weights) == 8
        assert torch.equal(kept, weights[2])

    def test_without_a_better_one_training_stops(self, tables, tmp_path, monkeypatch):
        weights, kept = self.run_with(
            monkeypatch, tables, tmp_path, [0.1, 0.3, 0.2, 0.3, 0.4], patience=2
        )
        assert len(weights) == 4
        assert torch.equal(kept, weights[1])


class TestBadInput:
    def test_features_of_other_concepts(self, tables, tmp_path):
        other = pl.Series([f"X{i}" for i in range(120)]).sort()
        write_store(tmp_path / "features.h5", other, np.ones((120, 4), np.float16), {}, {})
        wrong = command(tables, tmp_path).model_copy(update={"features": tmp_path / "features.h5"})
        with pytest.raises(InputError, match="other concepts"):
            wrong.run()

    def test_a_loss_that_is_no_number(self, tables, tmp_path):
        with pytest.raises(InputError, match="lower learning_rate"):
            command(tables, tmp_path, learning_rate=1e30).run()

    def test_widths_that_do_not_fit(self):
        with pytest.raises(ValueError, match="spectral_dim"):
            SAGEConfig(dim=64, spectral_dim=64)
        with pytest.raises(ValueError, match="odd"):
            SAGEConfig(width=255, dim=200)


class TestPieces:
    def test_the_learning_rate_rises_and_falls(self):
        rates = [learning_rate_at(step, 100, 1.0) for step in range(100)]
        assert rates[:5] == pytest.approx([0.2, 0.4, 0.6, 0.8, 1.0])
        assert rates[5:] == sorted(rates[5:], reverse=True)
        assert 0 < rates[-1] < 0.01
