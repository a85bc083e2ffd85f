import json
import logging

import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoConfig, AutoModelForCausalLM

from kg.shared.errors import InputError
from meg.model import adapter
from meg.model.batch import Collator
from meg.model.checkpoint import load, save
from meg.model.record import Record
from meg.model.scores import inputs_of
from meg.prompts.vectors import Vectors
from tests.meg.conftest import KGE
from tests.meg.model.test_network import example

IDS = torch.arange(20)[None]


def saved(llm, folder, **settings):
    """Trained adapters of an LLM beside it, saved; its logits with them."""
    options = {"r": 2, "lora_alpha": 6, "target_modules": "all-linear", "task_type": "CAUSAL_LM"}
    adapted = get_peft_model(llm, LoraConfig(**options | settings))
    torch.manual_seed(2)
    for name, parameter in adapted.named_parameters():
        if parameter.requires_grad and "lora_A" not in name:
            torch.nn.init.normal_(parameter, std=0.3)
    adapted.save_pretrained(folder, save_embedding_layers=False)
    with torch.no_grad():
        return adapted.eval()(input_ids=IDS).logits


def plain_llm(base, kind="llama"):
    if kind == "llama":
        return AutoModelForCausalLM.from_pretrained(base).eval()
    config = AutoConfig.for_model(kind, vocab_size=120, n_embd=32, n_layer=2, n_head=4)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(config).eval()


def logits(llm):
    with torch.no_grad():
        return llm(input_ids=IDS).logits


class TestMerged:
    @pytest.mark.parametrize(
        ("kind", "settings"),
        [
            ("llama", {}),
            ("llama", {"use_rslora": True}),
            ("llama", {"target_modules": ["q_proj", "down_proj"]}),
            ("gpt2", {"target_modules": ["c_attn", "c_fc"]}),
        ],
    )
    def test_computes_as_peft_does(self, base, tmp_path, kind, settings):
        """Worst difference seen 8e-6, of logits up to 6."""
        expected = saved(plain_llm(base, kind), tmp_path, **settings)
        llm = plain_llm(base, kind)
        before = logits(llm)
        assert adapter.merged(llm, tmp_path) == tmp_path
        torch.testing.assert_close(logits(llm), expected, atol=5e-5, rtol=0)
        assert (before - expected).abs().max() > 0.1

    @pytest.mark.parametrize(
        ("settings", "reason"),
        [
            ({"use_dora": True}, "use_dora is True"),
            ({"bias": "all"}, "bias is all"),
            ({"modules_to_save": ["lm_head"]}, "modules_to_save"),
            ({"rank_pattern": {"q_proj": 4}}, "rank_pattern"),
        ],
    )
    def test_what_is_no_plain_lora_stays_beside(self, base, tmp_path, caplog, settings, reason):
        expected = saved(plain_llm(base), tmp_path, **settings)
        llm = plain_llm(base)
        before = logits(llm)
        assert adapter.merged(llm, tmp_path) is None
        assert f"beside the LLM, which is slower: {reason}" in caplog.text
        assert torch.equal(logits(llm), before)
        torch.testing.assert_close(logits(adapter.beside(llm, tmp_path, False)), expected)

    def test_an_output_layer_that_is_the_embeddings_stays_as_it_is(self, tmp_path, caplog):
        """Else the embeddings would be changed with it."""
        saved(plain_llm(None, "gpt2"), tmp_path, target_modules=["lm_head"])
        assert adapter.merged(plain_llm(None, "gpt2"), tmp_path) is None
        assert "whose weights are the embeddings too" in caplog.text

    def test_sums_are_rounded_once(self, base, tmp_path):
        saved(plain_llm(base), tmp_path)
        wide, narrow = plain_llm(base).bfloat16().float(), plain_llm(base).bfloat16()
        for llm in (wide, narrow):
            adapter.merged(llm, tmp_path)
        for one, other in zip(wide.parameters(), narrow.parameters(), strict=True):
            assert torch.equal(one.bfloat16(), other)

    @pytest.mark.parametrize("change", ["rename", "transpose", "single"])
    def test_of_another_llm_is_an_error(self, base, tmp_path, change):
        saved(plain_llm(base), tmp_path)
        file = tmp_path / adapter.WEIGHTS
        weights = load_file(file)
        name = next(name for name in weights if "down_proj.lora_A" in name)
        if change == "rename":
            weights[name.replace("layers.0", "layers.7")] = weights.pop(name)
        elif change == "transpose":
            weights[name] = torch.zeros(2, 65)
        else:
            del weights[name.replace("lora_A", "lora_B")]
        save_file(weights, file)
        with pytest.raises(ValueError, match=r"no counterpart|is for a weight of \(32, 65\)"):
            adapter.merged(plain_llm(base), tmp_path)


class TestLoaded:
    """A checkpoint loaded to be asked computes as the one that is loaded to be trained."""

    @pytest.fixture
    def checkpoint(self, network_and_tokens, model_config, tmp_path):
        network, _ = network_and_tokens
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(parameter, std=0.3)
        save(tmp_path / "m", network, Record(model=model_config, kge=KGE, store=""))
        return tmp_path / "m"

    @pytest.mark.parametrize("cuis", [(), ("C01", "C04")])
    def test_within_rounding(self, checkpoint, store, cuis):
        found = []
        for trainable in (False, True):
            network, tokens, _ = load(checkpoint, trainable=trainable)
            batch = Collator.of(network, Vectors(store))([example(tokens, cuis=cuis)])
            with torch.no_grad():
                found.append(network.eval()(**inputs_of(batch)))
            assert network.adapted == trainable
        torch.testing.assert_close(*found, atol=5e-5, rtol=0)

    def test_is_saved_with_its_adapters(self, checkpoint, tmp_path):
        network, _, record = load(checkpoint)
        save(tmp_path / "n", network, record)
        files = [folder / "adapter" / adapter.WEIGHTS for folder in (checkpoint, tmp_path / "n")]
        assert files[0].read_bytes() == files[1].read_bytes()
        save(checkpoint, network, record)
        assert load(checkpoint)[0].merged == checkpoint / "adapter"

    def test_is_not_saved_where_they_are_gone(self, checkpoint, tmp_path):
        network, _, record = load(checkpoint)
        checkpoint.rename(tmp_path / "moved")
        with pytest.raises(InputError, match="load the checkpoint from where it is now"):
            save(tmp_path / "n", network, record)

    def test_that_cannot_be_merged_is_loaded_all_the_same(self, checkpoint, caplog):
        file = checkpoint / "adapter" / "adapter_config.json"
        file.write_text(json.dumps(json.loads(file.read_text()) | {"alpha_pattern": {"q_proj": 9}}))
        with caplog.at_level(logging.WARNING):
            assert load(checkpoint)[0].adapted
        assert "alpha_pattern is {'q_proj': 9}" in caplog.text
