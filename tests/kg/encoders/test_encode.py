"""Every encoder by its name, from tables to a store and its measures."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from pydantic import TypeAdapter, ValidationError

from kg.config import ENCODERS, EncoderConfig, EncoderSection
from kg.encoders import encode, graphsage, training
from kg.graph.tables import read_concepts
from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store
from tests.kg.encoder_run import LOOKUP, SAGE, command, files, write_tables

LIKE = [(f"D{group}{i}", "like", f"D{group}{i + 1}") for group in range(6) for i in range(9)]
MORE = [*LIKE, ("D00", "once", "F55")]
READ = TypeAdapter(EncoderConfig)


@pytest.fixture(scope="module")
def tables(tmp_path_factory):
    """With a second relation, a third of one triplet, and a concept without any."""
    return write_tables(tmp_path_factory.mktemp("tables"), more=MORE, alone=["Z"])


@pytest.fixture(scope="module")
def runs(tables, tmp_path_factory):
    """One run of every encoder."""
    out = tmp_path_factory.mktemp("runs")
    for encoder in ENCODERS:
        command(tables, out / encoder, encoder=encoder).run()
    return out


@pytest.mark.parametrize("encoder", ENCODERS)
class TestEvery:
    def test_it_writes_a_store_of_unit_vectors(self, tables, runs, encoder):
        store = EmbeddingStore(runs / encoder / "out" / "embeddings.h5")
        store.check(read_concepts(tables / "concepts.parquet"))
        vectors = store.embedding[:].astype(np.float32)
        assert vectors.shape == (121, 16)
        # A SAGE store has a spectral part of its own length 1, and 0 without edges.
        parts = [vectors[:, :10], vectors[:-1, 10:]] if "sage" in encoder else [vectors]
        for part in parts:
            np.testing.assert_allclose(np.linalg.norm(part, axis=1), 1, atol=1e-2)

    def test_it_has_all_measures(self, runs, encoder):
        metrics = json.loads((runs / encoder / "out" / "metrics.json").read_text())
        rows = metrics["link_prediction"]
        free = {"popularity", "text_cosine", "text_neighbours", "smoothed"}
        assert set(rows) == {"test", "neighbours", "combined", *free}
        for row in rows.values():
            assert 0 < row["mrr"] <= row["hits@10"] + 0.1
            assert row["by_relation"]["has^-1"]["n"] == row["by_relation"]["has"]["n"]
            assert row["macro_hits@1"] <= row["macro_mrr"]
        rows = metrics["relation_classification"]
        assert set(rows) == {"stored", "text", "smoothed", "most_frequent"}
        assert all(
            0 <= row["macro"] <= 1 and row["n"] == metrics["graph"]["test"] for row in rows.values()
        )
        assert set(metrics["probes"]) == {"stored", "text", "smoothed"}

    def test_the_same_twice_and_not_with_another_seed(self, tables, tmp_path, runs, encoder):
        command(tables, tmp_path / "a", encoder=encoder).run()
        assert files(tmp_path / "a") == files(runs / encoder)
        if encoder != "text":
            command(tables, tmp_path / "b", encoder=encoder, seed=1).run()
            name = "embeddings.h5"
            assert files(tmp_path / "b")[name] != files(runs / encoder)[name]


class TestQuality:
    @pytest.mark.parametrize("encoder", LOOKUP)
    def test_a_lookup_predicts_links(self, tables, tmp_path, encoder):
        command(tables, tmp_path, encoder=encoder, epochs=30, learning_rate=0.05).run()
        rows = json.loads((tmp_path / "out" / "metrics.json").read_text())["link_prediction"]
        assert rows["test"]["mrr"] > 2 * rows["popularity"]["mrr"]

    def test_walks_know_what_is_linked(self, runs):
        choice = [
            json.loads((runs / encoder / "out" / "metrics.json").read_text())
            ["probes"]["stored"]["choice_of_known_facts"]["has"]
            for encoder in ("rdf2vec", "random")
        ]  # fmt: skip
        assert choice[0] > choice[1] + 0.4


def moved(features):
    return replace(features, sent=features.sent + 1e-3)


@pytest.mark.parametrize("encoder", SAGE + LOOKUP)
def test_a_killed_run_continues_and_ends_the_same(tables, tmp_path, runs, monkeypatch, encoder):
    killed = command(tables, tmp_path, encoder=encoder)
    epochs = []
    real = training._Run.epoch

    def killed_in_the_third(self):
        epochs.append(1)
        if len(epochs) == 3:
            raise KeyboardInterrupt
        real(self)

    monkeypatch.setattr(training._Run, "epoch", killed_in_the_third)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    assert not (tmp_path / "out").exists()
    if encoder in SAGE:
        # Computed by another number of threads, messages are not the same to the last bit.
        made = graphsage.node_features
        monkeypatch.setattr(graphsage, "node_features", lambda *a: moved(made(*a)))
    killed.run()
    assert len(epochs) == 5
    assert files(tmp_path) == files(runs / encoder)
    assert list((tmp_path / "state").iterdir()) == []


class TestStateThatIsOfNoUse:
    @pytest.mark.parametrize("encoder", ["graphsage", "distmult"])
    def test_of_a_graph_with_one_concept_more(self, tables, tmp_path, encoder, monkeypatch):
        """No triplet tells it: the concept has none."""
        self.killed(tables, tmp_path, encoder, monkeypatch)
        more = tmp_path / "more"
        more.mkdir()
        write_tables(more, more=MORE, alone=["Z", "ZZ"])
        command(more, tmp_path, encoder=encoder).run()
        assert EmbeddingStore(tmp_path / "out" / "embeddings.h5").embedding.shape[0] == 122

    @pytest.mark.parametrize("left", [0, 0.5])
    def test_that_is_broken(self, tables, tmp_path, runs, monkeypatch, caplog, left):
        state = self.killed(tables, tmp_path, "distmult", monkeypatch)
        content = state.read_bytes()
        state.write_bytes(content[: int(left * len(content))])
        command(tables, tmp_path, encoder="distmult").run()
        assert "cannot be read" in caplog.text
        assert files(tmp_path) == files(runs / "distmult")

    def killed(self, tables, folder, encoder, monkeypatch):
        """The state that a run leaves which is killed after its first epoch."""
        with monkeypatch.context() as patch:
            real = training._Run.save

            def save(run, path):
                real(run, path)
                raise KeyboardInterrupt

            patch.setattr(training._Run, "save", save)
            with pytest.raises(KeyboardInterrupt):
                command(tables, folder, encoder=encoder).run()
        return folder / "state" / "checkpoint.pt"


class TestBrokenTables:
    @pytest.mark.parametrize("name", ["concepts.parquet", "triplets.parquet"])
    @pytest.mark.parametrize(("left", "message"), [(0, "empty"), (-20, "not a whole parquet file")])
    def test_that_are_cut_off(self, tables, tmp_path, name, left, message):
        broken = Path(shutil.copytree(tables, tmp_path / "broken"))
        content = (broken / name).read_bytes()
        (broken / name).write_bytes(content[:left])
        with pytest.raises(InputError, match=f"{name} is {message}"):
            command(broken, tmp_path, encoder="text").run()

    @pytest.mark.parametrize("column", ["head", "relation", "tail"])
    def test_facts_that_are_not_whole(self, tables, tmp_path, column):
        broken = Path(shutil.copytree(tables, tmp_path / "broken"))
        facts = pl.read_parquet(broken / "triplets.parquet")
        third = pl.int_range(pl.len()) == 3
        without = pl.when(third).then(None).otherwise(pl.col(column)).alias(column)
        facts.with_columns(without).write_parquet(broken / "triplets.parquet")
        with pytest.raises(InputError, match=f"1 of {3 * facts.height} heads, relations and tails"):
            command(broken, tmp_path, encoder="text").run()


class TestBadInput:
    def test_features_that_are_no_numbers(self, tables, tmp_path, monkeypatch):
        monkeypatch.setattr("kg.graph.rows.ROWS", 2)  # The broken row is in a later chunk.
        store = EmbeddingStore(tables / "features.h5")
        broken = np.array(store.embedding)
        cuis = read_concepts(tables / "concepts.parquet")["cui"]
        wrong = tmp_path / "features.h5"
        write_store(wrong, cuis, broken, {}, {})
        content = bytearray(wrong.read_bytes())
        place = content.find(broken[3].tobytes())
        content[place : place + 2] = np.float16("nan").tobytes()
        wrong.write_bytes(content)
        run = command(tables, tmp_path).model_copy(update={"features": wrong})
        with pytest.raises(InputError, match=r"1 of 121 concepts are not finite \(first D03\)"):
            run.run()

    def test_features_that_are_too_narrow(self, tables, tmp_path):
        with pytest.raises(InputError, match="24 numbers cannot be compressed to 32"):
            command(tables, tmp_path, encoder="text", dim=32).run()


class TestSection:
    @pytest.mark.parametrize(
        ("values", "message"),
        [
            ({"encoder": "distmult", "walks": 3}, r"distmult\.walks\n +Extra inputs are not"),
            ({"encoder": "text", "epochs": 3}, r"text\.epochs\n +Extra inputs are not"),
            ({"encoder": "rotate", "dim": 9}, "odd"),
            ({"encoder": "gat"}, "expected tags: 'text', 'graphsage', 'edgegraphsage'"),
        ],
    )
    def test_what_does_not_belong_together_is_refused(self, values, message):
        with pytest.raises(ValidationError, match=message):
            READ.validate_python(values)

    def test_without_a_name_it_is_graphsage(self):
        assert READ.validate_python({"dim": 200}).encoder == "graphsage"

    @pytest.mark.parametrize("name", ENCODERS)
    def test_it_survives_being_written_out(self, name):
        config = READ.validate_python({"encoder": name, "dim": 200})
        assert config.encoder == name
        assert READ.validate_json(config.model_dump_json()) == config

    def test_each_has_its_code(self):
        assert set(encode.ENCODERS) == set(ENCODERS.values())
        assert all(issubclass(section, EncoderSection) for section in encode.ENCODERS)
