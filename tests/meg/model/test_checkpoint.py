import json
import os
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from kg.shared.errors import InputError
from kg.store import EmbeddingStore, write_store
from meg.base import BaseCommand
from meg.model.batch import Collator
from meg.model.checkpoint import load, save
from meg.model.origin import base_digest
from meg.model.record import Record, check_store
from meg.model.scores import inputs_of
from meg.prompts.vectors import Vectors
from tests.meg.model.test_network import example


def logits(network, tokens, store):
    with torch.no_grad():
        return network(**inputs_of(Collator(Vectors(store))([example(tokens)])))


class TestStore:
    def test_of_another_encoder_is_refused_and_with_more_concepts_is_not(
        self, tmp_path, model_config
    ):
        def made(name, cuis, sign=1, space=None):
            vectors = sign * np.ones((len(cuis), 6), np.float32)
            write_store(tmp_path / name, pl.Series(cuis), vectors, {}, {}, space)
            return EmbeddingStore(tmp_path / name)

        learned = made("one.h5", ["A", "B"])
        record = Record(model=model_config, kge=6, store=learned.space)
        check_store(record, learned)
        check_store(record, made("extended.h5", ["A", "B", "C"], space=learned.space))
        with pytest.raises(InputError, match=r"other\.h5 has .*or of another encoder"):
            check_store(record, made("other.h5", ["A", "B"], sign=-1))


class TestRoundTrip:
    def test_gives_the_same_logits(self, network_and_tokens, model_config, store, tmp_path):
        network, tokens = network_and_tokens
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter)
        record = Record(model=model_config, kge=6, store="digest")
        save(tmp_path / "m", network, record, [{"loss": 1.0}], {"n": 1})
        again, tokens_again, record_again = load(tmp_path / "m", trainable=True)
        assert torch.equal(logits(again, tokens_again, store), logits(network, tokens, store))
        assert record_again.base_digest == base_digest(Path(model_config.base))
        assert record_again.model_copy(update={"base_digest": None}) == record

    def test_holds_no_base_weights(self, network_and_tokens, model_config, tmp_path):
        network, _ = network_and_tokens
        save(tmp_path / "m", network, Record(model=model_config, kge=6, store=""), [], {})
        files = {p.name for p in (tmp_path / "m").rglob("*") if p.suffix == ".safetensors"}
        assert files == {"adapter_model.safetensors", "mapper.safetensors"}
        size = sum(p.stat().st_size for p in (tmp_path / "m").rglob("*.safetensors"))
        assert size < 40_000

    def test_of_a_folder_that_is_none_says_so(self, tmp_path):
        with pytest.raises(InputError, match=r"no meg\.json"):
            load(tmp_path)

    def test_of_a_base_that_is_gone_says_what_to_do(
        self, network_and_tokens, model_config, tmp_path
    ):
        network, _ = network_and_tokens
        record = Record(model=model_config, kge=6, store="")
        save(tmp_path / "m", network, record, [], {})
        text = json.loads((tmp_path / "m" / "meg.json").read_text())
        assert text["model"]["base"] == model_config.base
        with pytest.raises(InputError, match=r"cannot be loaded from /.*\(--base\)"):
            load(tmp_path / "m", base=str(tmp_path / "nowhere"))

    def test_of_a_base_with_code_of_its_own_says_what_to_do(
        self, network_and_tokens, model_config, tmp_path
    ):
        save(
            tmp_path / "m",
            network_and_tokens[0],
            Record(model=model_config, kge=6, store=""),
            [],
            {},
        )
        own = {"AutoConfig": "own.Config", "AutoModelForCausalLM": "own.Model"}
        config = {"model_type": "own", "auto_map": own}
        (tmp_path / "base").mkdir()
        (tmp_path / "base" / "config.json").write_text(json.dumps(config))
        (tmp_path / "base" / "own.py").write_text("raise SystemExit('it was run')")
        with pytest.raises(InputError, match="base brings Python code of its own"):
            load(tmp_path / "m", base=str(tmp_path / "base"))

    def test_is_recorded_with_the_base_that_it_was_found_at(
        self, network_and_tokens, model_config, tmp_path
    ):
        save(tmp_path / "m", network_and_tokens[0], Record(model=model_config, kge=6, store=""))
        moved = shutil.copytree(model_config.base, tmp_path / "moved")
        assert load(tmp_path / "m", base=str(moved))[2].model.base == str(moved)


def forget_digest(checkpoint):
    """A record as older versions wrote it."""
    record = json.loads((checkpoint / "meg.json").read_text())
    del record["base_digest"], record["base_revision"]
    (checkpoint / "meg.json").write_text(json.dumps(record))


class TestBase:
    @pytest.fixture
    def saved(self, network_and_tokens, model_config, tmp_path):
        save(tmp_path / "m", network_and_tokens[0], Record(model=model_config, kge=6, store=""))
        return tmp_path / "m"

    @pytest.fixture
    def copied(self, model_config, tmp_path):
        return shutil.copytree(model_config.base, tmp_path / "copied")

    def test_is_found_from_any_folder(
        self, network_and_tokens, model_config, copied, tmp_path, monkeypatch
    ):
        (tmp_path / "kg").mkdir()
        (tmp_path / "kg" / "embeddings.h5").touch()
        (tmp_path / "elsewhere").mkdir()
        monkeypatch.chdir(tmp_path)
        model = model_config.model_copy(update={"base": "copied"})
        record = Record(model=model, kge=6, store="", store_path="kg/embeddings.h5")
        save(Path("models/m"), network_and_tokens[0], record)
        written = json.loads(Path("models/m/meg.json").read_text())
        assert written["model"]["base"] == "../../copied"
        monkeypatch.chdir(tmp_path / "elsewhere")
        found = load(tmp_path / "models" / "m")[2]
        assert Path(found.model.base).samefile(copied)
        assert Path(found.store_path).samefile(tmp_path / "kg" / "embeddings.h5")

    def test_of_other_weights_in_the_same_shape_is_refused(self, saved, copied):
        weights = load_file(copied / "model.safetensors")
        weights["model.norm.weight"][0] += 1e-3
        save_file(weights, copied / "model.safetensors", {"format": "pt"})
        with pytest.raises(InputError, match=r"was trained on another LLM than .*copied: "):
            load(saved, base=str(copied))

    def test_of_another_chat_template_is_refused(self, saved, copied):
        tokenizer = AutoTokenizer.from_pretrained(copied)
        tokenizer.chat_template = tokenizer.chat_template.replace("assistant", "model")
        tokenizer.save_pretrained(copied)
        with pytest.raises(InputError, match="was trained on another LLM"):
            load(saved, base=str(copied))

    def test_in_several_files_is_the_same(self, saved, copied):
        AutoModelForCausalLM.from_pretrained(copied).save_pretrained(copied, max_shard_size="20KB")
        (copied / "model.safetensors").unlink(missing_ok=True)
        assert len(list(copied.glob("*.safetensors"))) > 1
        load(saved, base=str(copied))

    def test_of_a_record_without_a_digest_is_said(self, saved, caplog):
        forget_digest(saved)
        load(saved)
        assert "does not tell the digest of its base LLM" in caplog.text

    @pytest.mark.parametrize("part", ["mapper", "adapter/adapter_model"])
    def test_and_all_else_is_whole(self, saved, part):
        os.truncate(saved / f"{part}.safetensors", 1000)
        with pytest.raises(InputError, match=rf"{part}\.safetensors is cut short or damaged"):
            load(saved)

    def test_that_is_a_pointer_of_git_lfs_is_said(self, saved, copied):
        (copied / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
        with pytest.raises(InputError, match=r"model\.safetensors is the pointer of Git LFS"):
            load(saved, base=str(copied))


class TestWeightsThatAreNoNumbers:
    @pytest.mark.parametrize("part", ["mapper", "lora_A"])
    def test_are_not_saved(self, network_and_tokens, model_config, tmp_path, part):
        """A last step makes them without any loss that shows it."""
        network, _ = network_and_tokens
        spoiled = next(p for name, p in network.named_parameters() if part in name)
        torch.nn.init.constant_(spoiled, torch.nan)
        with pytest.raises(InputError, match="is not finite after the training, and not saved"):
            save(tmp_path / "m", network, Record(model=model_config, kge=6, store=""))
        assert not (tmp_path / "m").exists()


class TestFolder:
    def test_of_a_checkpoint_is_replaced_and_another_is_not(
        self, network_and_tokens, model_config, tmp_path
    ):
        network, record = network_and_tokens[0], Record(model=model_config, kge=6, store="")
        save(tmp_path / "m", network, record, [{"loss": 1.0}])
        save(tmp_path / "m", network, record)
        (tmp_path / "m" / "notes.txt").write_text("mine")
        with pytest.raises(InputError, match=r"1 files of no checkpoint \(first notes\.txt\)"):
            save(tmp_path / "m", network, record)
        assert (tmp_path / "m" / "notes.txt").read_text() == "mine"
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="is a file"):
            save(tmp_path / "file", network, record)

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            ("adapter/adapter_config.json", "has no whole adapter"),
            ("adapter/adapter_model.safetensors", "has no whole adapter"),
            ("mapper.safetensors", "is incomplete: no mapper"),
        ],
    )
    def test_that_is_incomplete_says_so(
        self, network_and_tokens, model_config, tmp_path, broken, message
    ):
        save(tmp_path / "m", network_and_tokens[0], Record(model=model_config, kge=6, store=""))
        (tmp_path / "m" / broken).unlink()
        with pytest.raises(InputError, match=message):
            load(tmp_path / "m")

    def test_of_another_llm_says_so(self, network_and_tokens, model_config, tmp_path):
        save(tmp_path / "m", network_and_tokens[0], Record(model=model_config, kge=6, store=""))
        forget_digest(tmp_path / "m")
        BaseCommand(base="random:gpt_neox", out=tmp_path / "other").run()
        with pytest.raises(InputError, match=r"one of another LLM than .*other: "):
            load(tmp_path / "m", base=str(tmp_path / "other"))

    @pytest.mark.parametrize("text", ["{", '{"format": "meg-checkpoint-2"}'])
    def test_of_another_format_says_so(self, tmp_path, text):
        (tmp_path / "meg.json").write_text(text)
        with pytest.raises(InputError, match=r"meg\.json is no record of a checkpoint"):
            load(tmp_path)
