import json
import shutil

import numpy as np
import polars as pl
import pytest
import torch

from kg.errors import InputError
from kg.store import EmbeddingStore, write_store
from meg.base import BaseCommand
from meg.batch import Collator
from meg.checkpoint import Record, check_store, load, save
from meg.objectives import inputs_of
from meg.vectors import Vectors
from tests.meg.test_model import example


def logits(meg, tokens, store):
    with torch.no_grad():
        return meg(**inputs_of(Collator(Vectors(store))([example(tokens)])))


class TestStore:
    def test_of_another_encoder_is_refused_and_with_more_concepts_is_not(
        self, tmp_path, model_config
    ):
        def made(name, cuis, **config):
            vectors = np.ones((len(cuis), 6), np.float32)
            write_store(tmp_path / name, pl.Series(cuis), vectors, config, {"mrr": 0.1})
            return EmbeddingStore(tmp_path / name)

        learned = made("one.h5", ["A", "B"], encoder="sage")
        record = Record(model=model_config, kge=6, store=learned.space)
        check_store(record, learned)
        check_store(record, made("extended.h5", ["A", "B", "C"], encoder="sage"))
        with pytest.raises(InputError, match=r"other\.h5 has .*or of another encoder"):
            check_store(record, made("other.h5", ["A", "B"], encoder="distmult"))

    def test_without_measures_is_known_by_its_concepts(self, tmp_path):
        spaces = []
        for name, cuis in (("a", ["A"]), ("b", ["B"]), ("c", ["A"])):
            write_store(tmp_path / name, pl.Series(cuis), np.ones((1, 6), np.float32), {}, {})
            spaces.append(EmbeddingStore(tmp_path / name).space)
        assert spaces[0] == spaces[2] != spaces[1]


class TestRoundTrip:
    def test_gives_the_same_logits(self, meg_and_tokens, model_config, store, tmp_path):
        meg, tokens = meg_and_tokens
        for name, parameter in meg.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter)
        record = Record(model=model_config, kge=6, store="digest")
        save(tmp_path / "m", meg, record, [{"loss": 1.0}], {"n": 1})
        again, tokens_again, record_again = load(tmp_path / "m")
        assert torch.equal(logits(again, tokens_again, store), logits(meg, tokens, store))
        assert record_again == record

    def test_holds_no_base_weights(self, meg_and_tokens, model_config, tmp_path):
        meg, _ = meg_and_tokens
        save(tmp_path / "m", meg, Record(model=model_config, kge=6, store=""), [], {})
        files = {p.name for p in (tmp_path / "m").rglob("*") if p.suffix == ".safetensors"}
        assert files == {"adapter_model.safetensors", "mapper.safetensors"}
        size = sum(p.stat().st_size for p in (tmp_path / "m").rglob("*.safetensors"))
        assert size < 40_000

    def test_of_a_folder_that_is_none_says_so(self, tmp_path):
        with pytest.raises(InputError, match=r"no meg\.json"):
            load(tmp_path)

    def test_of_a_base_that_is_gone_says_what_to_do(self, meg_and_tokens, model_config, tmp_path):
        meg, _ = meg_and_tokens
        record = Record(model=model_config, kge=6, store="")
        save(tmp_path / "m", meg, record, [], {})
        text = json.loads((tmp_path / "m" / "meg.json").read_text())
        assert text["model"]["base"] == model_config.base
        with pytest.raises(InputError, match=r"cannot be loaded from /.*\(--base\)"):
            load(tmp_path / "m", base=str(tmp_path / "nowhere"))

    def test_is_recorded_with_the_base_that_it_was_found_at(
        self, meg_and_tokens, model_config, tmp_path
    ):
        save(tmp_path / "m", meg_and_tokens[0], Record(model=model_config, kge=6, store=""))
        moved = shutil.copytree(model_config.base, tmp_path / "moved")
        assert load(tmp_path / "m", base=str(moved))[2].model.base == str(moved)


class TestWeightsThatAreNoNumbers:
    @pytest.mark.parametrize("part", ["mapper", "lora_A"])
    def test_are_not_saved(self, meg_and_tokens, model_config, tmp_path, part):
        """A last step makes them without any loss that shows it."""
        meg, _ = meg_and_tokens
        spoiled = next(p for name, p in meg.named_parameters() if part in name)
        torch.nn.init.constant_(spoiled, torch.nan)
        with pytest.raises(InputError, match="is not finite after the training, and not saved"):
            save(tmp_path / "m", meg, Record(model=model_config, kge=6, store=""))
        assert not (tmp_path / "m").exists()


class TestFolder:
    def test_of_a_checkpoint_is_replaced_and_another_is_not(
        self, meg_and_tokens, model_config, tmp_path
    ):
        meg, record = meg_and_tokens[0], Record(model=model_config, kge=6, store="")
        save(tmp_path / "m", meg, record, [{"loss": 1.0}])
        save(tmp_path / "m", meg, record)
        (tmp_path / "m" / "notes.txt").write_text("mine")
        with pytest.raises(InputError, match=r"1 files of no checkpoint \(first notes\.txt\)"):
            save(tmp_path / "m", meg, record)
        assert (tmp_path / "m" / "notes.txt").read_text() == "mine"
        (tmp_path / "file").touch()
        with pytest.raises(InputError, match="is a file"):
            save(tmp_path / "file", meg, record)

    @pytest.mark.parametrize(
        ("broken", "message"),
        [
            ("adapter/adapter_config.json", "has no whole adapter"),
            ("adapter/adapter_model.safetensors", "has no whole adapter"),
            ("mapper.safetensors", "is incomplete: no mapper"),
        ],
    )
    def test_that_is_incomplete_says_so(
        self, meg_and_tokens, model_config, tmp_path, broken, message
    ):
        save(tmp_path / "m", meg_and_tokens[0], Record(model=model_config, kge=6, store=""))
        (tmp_path / "m" / broken).unlink()
        with pytest.raises(InputError, match=message):
            load(tmp_path / "m")

    def test_of_another_llm_says_so(self, meg_and_tokens, model_config, tmp_path):
        save(tmp_path / "m", meg_and_tokens[0], Record(model=model_config, kge=6, store=""))
        BaseCommand(base="random:gpt_neox", out=tmp_path / "other").run()
        with pytest.raises(InputError, match=r"one of another LLM than .*other: "):
            load(tmp_path / "m", base=str(tmp_path / "other"))

    @pytest.mark.parametrize("text", ["{", '{"format": "meg-checkpoint-2"}'])
    def test_of_another_format_says_so(self, tmp_path, text):
        (tmp_path / "meg.json").write_text(text)
        with pytest.raises(InputError, match=r"meg\.json is no record of a checkpoint"):
            load(tmp_path)
