"""Names to features with a random BERT of two layers."""

import json
import os
import shutil

import numpy as np
import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from kg import features as stage
from kg.config import FeaturesConfig
from kg.features import FeaturesCommand, encode_names, load_encoder
from kg.graph.tables import CONCEPTS, write_concepts
from kg.shared.errors import InputError
from kg.shared.resume import resumable
from kg.store import EmbeddingStore

NAMES = ["Seizure", "long name of a rare disease", "gene", "Long name", "fever", "a b c d e f"]


@pytest.fixture(scope="module")
def encoder_folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("encoder")
    words = sorted({word.lower() for name in NAMES for word in name.split()})
    (folder / "vocab.txt").write_text("\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words]))
    BertTokenizerFast(str(folder / "vocab.txt"), do_lower_case=False).save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=4 + len(words), hidden_size=16, num_hidden_layers=2, num_attention_heads=2,
        intermediate_size=32,
    )  # fmt: skip
    BertModel(config).save_pretrained(folder)
    return folder


def config(folder, **values):
    return FeaturesConfig(
        model=str(folder), **({"bf16": False, "batch_tokens": 64, "pooling": "mean"} | values)
    )


def features(config, state, names=NAMES):
    tokenizer, model = load_encoder(config)
    return encode_names(names, tokenizer, model, config, state)


class TestVectors:
    @pytest.mark.parametrize("pooling", ["cls", "mean"])
    def test_batches_equal_one_by_one(self, encoder_folder, tmp_path, pooling):
        settings = config(encoder_folder, pooling=pooling)
        tokenizer, model = load_encoder(settings)
        for name, vector in zip(NAMES, features(settings, tmp_path), strict=True):
            ids = tokenizer(name.lower(), return_tensors="pt")
            with torch.no_grad():
                hidden = model(**ids).last_hidden_state[0]
            expected = hidden[0] if pooling == "cls" else hidden.mean(0)
            np.testing.assert_allclose(vector, expected.numpy(), atol=2e-3)

    def test_case_counts_only_when_asked(self, encoder_folder, tmp_path):
        pair = ["Fever", "fever"]
        (tmp_path / "other").mkdir()
        same = features(config(encoder_folder), tmp_path, pair)
        other = features(config(encoder_folder, lowercase=False), tmp_path / "other", pair)
        np.testing.assert_array_equal(same[0], same[1])
        assert not np.allclose(other[0], other[1])

    def test_long_names_are_cut(self, encoder_folder, tmp_path):
        cut = features(config(encoder_folder, max_tokens=4), tmp_path, ["a b c d", "a b f e"])
        np.testing.assert_allclose(cut[0], cut[1], atol=1e-6)


class TestCommand:
    def command(self, tmp_path, folder):
        rows = [(f"C{i}", name, [], [], None) for i, name in enumerate(NAMES)]
        write_concepts(
            tmp_path / "concepts.parquet", pl.DataFrame(rows, schema=CONCEPTS, orient="row")
        )
        return FeaturesCommand(
            concepts=tmp_path / "concepts.parquet",
            out=tmp_path / "features.h5",
            config=config(folder, batch_tokens=9),
        )

    def test_a_killed_run_continues_and_ends_the_same(self, tmp_path, encoder_folder, monkeypatch):
        command, expected = self.killed(tmp_path, encoder_folder, monkeypatch)
        encoded = self.watched(monkeypatch)
        command.run()
        np.testing.assert_array_equal(EmbeddingStore(command.out).embedding, expected)
        # Two batches were done before the kill, in the third.
        assert encoded == [1, 1]
        assert list(tmp_path.glob(".*")) == []

    @pytest.mark.parametrize("size", [0, 100, -1])
    def test_what_is_kept_and_damaged_is_done_again(
        self, tmp_path, encoder_folder, monkeypatch, caplog, size
    ):
        """Cut short, or with another byte at an unchanged length."""
        command, expected = self.killed(tmp_path, encoder_folder, monkeypatch)
        first, _ = sorted((tmp_path / ".features.h5.partial").glob("*.npz"))
        if size < 0:
            content = bytearray(first.read_bytes())
            content[200] ^= 255
            first.write_bytes(content)
        else:
            os.truncate(first, size)
        encoded = self.watched(monkeypatch)
        command.run()
        np.testing.assert_array_equal(EmbeddingStore(command.out).embedding, expected)
        assert encoded == [3, 1, 1]
        assert "is damaged" in caplog.text

    def test_a_second_run_at_once_is_refused(self, tmp_path, encoder_folder):
        command = self.command(tmp_path, encoder_folder)
        expected = pytest.raises(InputError, match="is used by another running job")
        with resumable(tmp_path / ".features.h5.partial", {}), expected:
            command.run()

    def test_work_by_other_weights_is_not_used(self, tmp_path, encoder_folder, monkeypatch):
        other = shutil.copytree(encoder_folder, tmp_path / "encoder")
        command, _ = self.killed(tmp_path, other, monkeypatch)
        torch.manual_seed(1)
        BertModel(BertConfig.from_pretrained(other)).save_pretrained(other)
        encoded = self.watched(monkeypatch)
        command.run()
        assert encoded == [3, 1, 1, 1]

    def killed(self, tmp_path, folder, monkeypatch):
        """A command that was killed in its third batch of four, and what it would have made."""
        monkeypatch.setattr(stage, "KEPT_AT_ONCE", 1)
        command = self.command(tmp_path, folder)
        command.run()
        expected = np.array(EmbeddingStore(command.out).embedding)
        command.out.unlink()
        with monkeypatch.context() as killing:
            self.watched(killing, last=3)
            with pytest.raises(KeyboardInterrupt):
                command.run()
        assert not command.out.exists()
        return command, expected

    def watched(self, monkeypatch, last=None):
        """Names in each batch that the encoder is given from here on; `last` kills it."""
        encoded, real = [], BertModel.forward

        def forward(self, **inputs):
            encoded.append(len(inputs["input_ids"]))
            if len(encoded) == last:
                raise KeyboardInterrupt
            return real(self, **inputs)

        monkeypatch.setattr(BertModel, "forward", forward)
        return encoded

    @pytest.mark.parametrize(
        ("cuis", "names", "message"),
        [
            (["A", "A"], ["x", "y"], "not sorted by cui, each once"),
            (["B", "A"], ["x", "y"], "not sorted by cui, each once"),
            (["A", None], ["x", "y"], "not sorted by cui, each once"),
            (["A", "B"], ["x", None], "1 of 2 concepts have no name"),
            (["A", "B"], ["", "y"], "1 of 2 concepts have no name"),
        ],
    )
    def test_concepts_made_by_hand_are_checked(self, tmp_path, cuis, names, message):
        rows = [(cui, name, [], [], None) for cui, name in zip(cuis, names, strict=True)]
        path = tmp_path / "concepts.parquet"
        pl.DataFrame(rows, schema=CONCEPTS, orient="row").write_parquet(path)
        with pytest.raises(InputError, match=message):
            FeaturesCommand(concepts=path, out=tmp_path / "features.h5").run()

    def test_an_encoder_that_is_not_there(self, tmp_path):
        with pytest.raises(InputError, match="nowhere"):
            load_encoder(config(tmp_path / "nowhere"))

    def test_an_encoder_with_code_of_its_own_says_what_to_do(self, tmp_path):
        own = {"AutoConfig": "own.Config", "AutoModel": "own.Model"}
        (tmp_path / "config.json").write_text(json.dumps({"model_type": "own", "auto_map": own}))
        (tmp_path / "own.py").write_text("raise SystemExit('it was run')")
        with pytest.raises(InputError, match="brings Python code of its own, which is not run"):
            load_encoder(config(tmp_path))
