"""Names to features with a random BERT of two layers."""

import numpy as np
import polars as pl
import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast

from kg.config import FeaturesConfig
from kg.errors import InputError
from kg.features import FeaturesCommand, _open_partial, encode_names, load_encoder
from kg.store import EmbeddingStore
from kg.tables import CONCEPTS, write_concepts

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


def features(config, names=NAMES):
    tokenizer, model = load_encoder(config)
    out = np.full((len(names), 16), np.nan, dtype=np.float32)
    encode_names(names, tokenizer, model, config, out)
    return out


class TestVectors:
    @pytest.mark.parametrize("pooling", ["cls", "mean"])
    def test_batches_equal_one_by_one(self, encoder_folder, pooling):
        settings = config(encoder_folder, pooling=pooling)
        tokenizer, model = load_encoder(settings)
        for name, vector in zip(NAMES, features(settings), strict=True):
            ids = tokenizer(name.lower(), return_tensors="pt")
            with torch.no_grad():
                hidden = model(**ids).last_hidden_state[0]
            expected = hidden[0] if pooling == "cls" else hidden.mean(0)
            np.testing.assert_allclose(vector, expected.numpy(), atol=1e-5)

    def test_case_counts_only_when_asked(self, encoder_folder):
        pair = ["Fever", "fever"]
        same = features(config(encoder_folder), pair)
        other = features(config(encoder_folder, lowercase=False), pair)
        np.testing.assert_array_equal(same[0], same[1])
        assert not np.allclose(other[0], other[1])

    def test_long_names_are_cut(self, encoder_folder):
        cut = features(config(encoder_folder, max_tokens=4), ["a b c d", "a b f e"])
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
        command = self.command(tmp_path, encoder_folder)
        command.run()
        expected = np.array(EmbeddingStore(command.out).embedding)
        command.out.unlink()
        encoded = []
        real = BertModel.forward

        def killed_in_the_third(self, **inputs):
            encoded.append(len(inputs["input_ids"]))
            if len(encoded) == 3:
                raise KeyboardInterrupt
            return real(self, **inputs)

        monkeypatch.setattr(BertModel, "forward", killed_in_the_third)
        with pytest.raises(KeyboardInterrupt):
            command.run()
        assert not command.out.exists()
        command.run()
        np.testing.assert_array_equal(EmbeddingStore(command.out).embedding, expected)
        # Two batches before the kill, the third twice, the fourth once: nothing else again.
        assert encoded == [3, 1, 1, 1, 1]
        assert list(tmp_path.glob(".*")) == []

    def test_a_kill_before_the_first_batch_leaves_no_zeros(self, tmp_path, monkeypatch):
        """A file is made of zeros, which would count as done."""
        path, shape = tmp_path / "partial.npy", (4, 3)
        make = np.lib.format.open_memmap

        def killed(*arguments, **values):
            make(*arguments, **values)
            raise KeyboardInterrupt

        monkeypatch.setattr(np.lib.format, "open_memmap", killed)
        with pytest.raises(KeyboardInterrupt):
            _open_partial(path, shape)
        monkeypatch.undo()
        assert np.isnan(_open_partial(path, shape)).all()

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

    def test_a_partial_file_of_other_names_is_not_used(self, tmp_path, encoder_folder):
        command = self.command(tmp_path, encoder_folder)
        other = tmp_path / ".features.h5.0000000000000000.partial.npy"
        np.save(other, np.ones((len(NAMES), 16), dtype=np.float16))
        command.run()
        assert not (np.array(EmbeddingStore(command.out).embedding) == 1).any()

    def test_an_encoder_that_is_not_there(self, tmp_path):
        with pytest.raises(InputError, match="nowhere"):
            load_encoder(config(tmp_path / "nowhere"))
