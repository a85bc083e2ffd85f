"""A byte-level tokenizer and a two-layer random Llama, saved as a user would have them."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from kg.config import LinkConfig
from kg.graph.tables import concepts_digest
from kg.linking.build import build_dictionary
from kg.linking.dictionary import write_dictionary
from kg.store import EmbeddingStore, write_store
from meg.config import LoraSettings, MapperConfig, ModelConfig
from meg.model.checkpoint import build
from meg.model.reader import Reader
from meg.prompts.vectors import Vectors

CHAT = (
    "{% for m in messages %}<|{{ m['role'] }}|>{{ m['content'] }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}<|assistant|>{% endif %}"
)
KGE = 6


def byte_tokenizer() -> PreTrainedTokenizerFast:
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE({c: i for i, c in enumerate(alphabet)}, []))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, eos_token="<|end|>", pad_token="<|end|>"
    )
    wrapped.add_tokens(["<|system|>", "<|user|>", "<|assistant|>"], special_tokens=True)
    wrapped.chat_template = CHAT
    return wrapped


@pytest.fixture(scope="session")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A folder with a random Llama in float32 and its tokenizer."""
    folder = tmp_path_factory.mktemp("base")
    tokenizer = byte_tokenizer()
    torch.manual_seed(0)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=512,
        eos_token_id=tokenizer.eos_token_id,
        initializer_range=0.3,
    )
    LlamaForCausalLM(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def model_config(base: str) -> ModelConfig:
    return ModelConfig(
        base=base,
        dtype="float32",
        lora=LoraSettings(r=2, alpha=4, dropout=0.0),
        mapper=MapperConfig(kind="linear"),
    )


@pytest.fixture
def network_and_tokens(model_config: ModelConfig):
    torch.manual_seed(1)
    return build(model_config, KGE)


@pytest.fixture
def reader(network_and_tokens, store):
    return Reader(*network_and_tokens, Vectors(store))


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> EmbeddingStore:
    """Twenty concepts C00 to C19 with random vectors."""
    path: Path = tmp_path_factory.mktemp("store") / "embeddings.h5"
    vectors = np.random.default_rng(0).normal(size=(20, KGE)).astype(np.float32)
    write_store(path, pl.Series([f"C{i:02}" for i in range(20)]), vectors, {}, {})
    return EmbeddingStore(path)


@pytest.fixture(scope="session")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Store and linker of two concepts, laid out as the workflow does."""
    folder = tmp_path_factory.mktemp("kg")
    concepts = pl.DataFrame(
        {
            "cui": ["C01", "C02"],
            "name": ["Ataxia", "Marfan syndrome"],
            "synonyms": [[], []],
            "semantic_types": [["T047"], ["T047"]],
            "definition": [None, None],
        },
        schema_overrides={"synonyms": pl.List(pl.String), "definition": pl.String},
    )
    config = LinkConfig()
    dictionary, _ = build_dictionary(concepts, config, None)
    about = {"config": config.model_dump(mode="json"), "concepts": concepts_digest(concepts["cui"])}
    write_dictionary(folder / "linker", dictionary, about)
    vectors = np.random.default_rng(0).normal(size=(2, 6)).astype(np.float32)
    (folder / "sage").mkdir()
    write_store(folder / "sage" / "embeddings.h5", concepts["cui"], vectors, {}, {})
    return folder
