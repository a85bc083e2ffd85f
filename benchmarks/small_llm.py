"""A random LLM, large enough to be timed and small enough for a laptop, with real prompts."""

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from meg.base import byte_tokenizer
from meg.config import MapperConfig, PromptConfig
from meg.datasets.question import read_questions
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM
from meg.prompts.tokens import Example, Tokens

__all__ = ["KGE", "examples_of", "small_network", "vectors"]

KGE = 256
SHAPE = {
    "hidden_size": 192,
    "intermediate_size": 512,
    "num_hidden_layers": 8,
    "num_attention_heads": 6,
    "num_key_value_heads": 3,
}


def small_network() -> tuple[ConceptLM, Tokens]:
    """A Llama of 4 million parameters with adapters, and a tokenizer of bytes."""
    torch.manual_seed(0)
    tokens = Tokens(byte_tokenizer())
    config = AutoConfig.for_model("llama", vocab_size=tokens.placeholder, **SHAPE)
    llm = AutoModelForCausalLM.from_config(config, attn_implementation="eager")
    llm.requires_grad_(False)
    adapted = get_peft_model(llm, LoraConfig(target_modules="all-linear", task_type="CAUSAL_LM"))
    mapper = Mapper(MapperConfig(kind="linear"), KGE, SHAPE["hidden_size"])
    return ConceptLM(adapted, mapper, tokens.placeholder), tokens


def examples_of(
    path: Path, tokens: Tokens, prompt: PromptConfig, count: int, bytes_a_token: int = 4
) -> list[Example]:
    """The first questions, of as many tokens as a usual tokenizer would make of their bytes."""
    examples = []
    for question in islice(read_questions(path), count):
        whole = tokens.question_example(question, prompt, lambda _: False)
        branches = tuple(branch[::bytes_a_token] for branch in whole.branches)
        examples.append(Example(whole.id, whole.prefix[::bytes_a_token], branches, (), whole.gold))
    return examples


def vectors(cuis: Sequence[str]) -> np.ndarray:
    """Random vectors (concept, kge)."""
    return np.random.default_rng(0).normal(size=(len(cuis), KGE)).astype(np.float32)
