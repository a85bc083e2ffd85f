"""Models whose weights, configuration and tokenizer do not fit are refused when they are loaded."""

import json

import pytest
import torch
from transformers import BertConfig, BertModel, BertTokenizerFast, LlamaConfig, LlamaForCausalLM

from kg.config import FeaturesConfig
from kg.features import load_encoder
from kg.shared.errors import InputError
from meg.config import ModelConfig
from meg.model.checkpoint import build
from tests.meg.conftest import byte_tokenizer

NARROW = {"hidden_size": 8, "intermediate_size": 8, "num_hidden_layers": 1}


def save_llm(folder, embeddings):
    tokenizer = byte_tokenizer()
    config = LlamaConfig(vocab_size=len(tokenizer) + embeddings, num_attention_heads=2, **NARROW)
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def save_encoder(folder, embeddings):
    (folder / "vocab.txt").write_text(
        "\n".join(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "b"])
    )
    tokenizer = BertTokenizerFast(str(folder / "vocab.txt"))
    tokenizer.save_pretrained(folder)
    config = BertConfig(vocab_size=len(tokenizer) + embeddings, num_attention_heads=2, **NARROW)
    BertModel(config).save_pretrained(folder)


def load_llm(folder):
    return build(ModelConfig(base=str(folder), dtype="float32"), 4)


def load_text_encoder(folder):
    return load_encoder(FeaturesConfig(model=str(folder), bf16=False))


@pytest.fixture(params=[(save_llm, load_llm), (save_encoder, load_text_encoder)])
def model(request):
    torch.manual_seed(0)
    return request.param


def test_fewer_embeddings_than_tokens(model, tmp_path):
    save, load = model
    save(tmp_path, -2)
    with pytest.raises(InputError, match=r"2 tokens of the tokenizer have no embedding \(first"):
        load(tmp_path)


def test_more_embeddings_than_tokens(model, tmp_path):
    save, load = model
    save(tmp_path, 3)
    assert load(tmp_path)


@pytest.mark.parametrize("wrong", [-2, 2])
def test_a_config_with_another_vocabulary(model, tmp_path, wrong):
    save, load = model
    save(tmp_path, 0)
    config = json.loads((tmp_path / "config.json").read_text())
    config["vocab_size"] += wrong
    (tmp_path / "config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"other shapes than its config\.json says.*vocab_size"):
        load(tmp_path)
