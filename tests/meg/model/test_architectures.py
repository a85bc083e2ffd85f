"""One class for every causal LM: the same promises, kept on small random ones of each family."""

import sys

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import AutoConfig, AutoModelForCausalLM

from meg.base import byte_tokenizer
from meg.config import MapperConfig, ModelConfig
from meg.inference.generation import left_padded
from meg.model.batch import Collator
from meg.model.checkpoint import build
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM
from meg.model.scores import inputs_of, option_scores
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors

VOCABULARY, WINDOW = 120, 8
COMMON = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 128,
    "initializer_range": 0.3,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
}
GROUPED = {"num_key_value_heads": 2}
LOCAL = GROUPED | {"head_dim": 8, "layer_types": ["sliding_attention", "full_attention"]}
FAMILIES = {
    "llama": GROUPED,
    "mistral": GROUPED | {"sliding_window": None},
    "mistral, sliding window": GROUPED | {"sliding_window": WINDOW},
    "qwen2": GROUPED,
    "qwen3": GROUPED | {"head_dim": 8},
    "gemma": GROUPED | {"head_dim": 8},
    "gemma2": LOCAL | {"sliding_window": WINDOW, "query_pre_attn_scalar": 8},
    "gemma3_text": LOCAL | {"sliding_window": WINDOW, "query_pre_attn_scalar": 8},
    "phi": {},
    "phi3": GROUPED | {"sliding_window": None},
    "gpt_neox": {},
    "gpt_neo": {
        "num_layers": 2,
        "num_heads": 4,
        "attention_types": [[["local", "global"], 1]],
        "window_size": WINDOW,
    },
    "bloom": {"n_layer": 2, "n_head": 4},  # ALiBi: no position ids
    "falcon": {"alibi": True, "new_decoder_architecture": False},
}
ALIBI = {"bloom", "falcon"}
WINDOWED = {
    name
    for name, settings in FAMILIES.items()
    if settings.get("sliding_window") or settings.get("window_size")
}


def plain_model(family):
    torch.manual_seed(0)
    config = AutoConfig.for_model(family.partition(",")[0], **(COMMON | FAMILIES[family]))
    return AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()


def wrapped(llm, injection="input"):
    torch.manual_seed(1)
    mapper = Mapper(MapperConfig(kind="linear"), 6, 32)
    embeddings = llm.get_input_embeddings()
    mapper.fit_to(embeddings(torch.arange(VOCABULARY)))
    adapted = get_peft_model(
        llm, LoraConfig(r=2, target_modules="all-linear", task_type="CAUSAL_LM")
    )
    return ConceptLM(adapted, mapper, placeholder=VOCABULARY, injection=injection).eval()


@pytest.fixture(scope="module", params=FAMILIES)
def family(request):
    return request.param


@pytest.fixture(scope="module")
def network(family):
    return wrapped(plain_model(family))


def example(cui, *branches, prefix=12):
    return Example("q", (VOCABULARY, *range(10, 10 + prefix)), branches, (cui,))


def scores(network, store, examples, **changes):
    collate = Collator.of(network, Vectors(store))
    for name, value in changes.items():
        setattr(collate, name, value)
    batch = collate(examples)
    with torch.no_grad():
        return option_scores(network(**inputs_of(batch)), batch, None)


class TestTextOnly:
    def test_logits_are_the_models_own(self, family, network):
        ids = torch.arange(20)[None] + 10
        mask, positions = torch.ones_like(ids), torch.arange(20)[None]
        with torch.no_grad():
            theirs = plain_model(family)(input_ids=ids, attention_mask=mask).logits
            ours = network(ids, torch.zeros(0, 6), mask, positions)
        assert torch.equal(ours, theirs)


class TestInjection:
    def test_changes_the_logits(self, network, store):
        one, other = (scores(network, store, [example(cui, (5, 6))]) for cui in ("C01", "C02"))
        assert (one - other).abs().max() > 1e-3

    def test_at_the_last_layer_changes_the_logits(self, family, store):
        last = wrapped(plain_model(family), "last")
        # Short enough for the window of any: beyond it the last layer does not see the concept.
        near = (example(cui, (5, 6), prefix=3) for cui in ("C01", "C02"))
        one, other = (scores(last, store, [each]) for each in near)
        assert (one - other).abs().max() > 1e-4

    def test_has_the_norm_of_what_the_embedding_returns(self, network, store):
        vectors = torch.from_numpy(Vectors(store)(["C01"]))
        embedded = network.llm.get_input_embeddings()(torch.arange(VOCABULARY))
        expected = (embedded - embedded.mean(0)).norm(dim=-1).mean()
        found = (network.mapper(vectors)[0] - embedded.mean(0)).norm()
        torch.testing.assert_close(found, expected)


class TestBranches:
    """In float32."""

    @pytest.mark.parametrize("prefix", [3, 20])
    def test_score_as_they_would_alone(self, network, store, prefix):
        branches = (5, 6, 7), (8, 9), (11,)
        whole = example("C01", *branches, prefix=prefix)
        alone = [example("C01", branch, prefix=prefix) for branch in branches]
        expected = torch.cat([scores(network, store, [one]) for one in alone])
        torch.testing.assert_close(scores(network, store, [whole]), expected, atol=1e-4, rtol=0)

    def test_share_a_row_only_where_the_llm_lets_them(self, family, network, store):
        expected = WINDOW if family in WINDOWED else 0 if family in ALIBI else sys.maxsize
        assert network.longest_shared == expected
        whole = example("C01", (5, 6, 7), (8, 9), prefix=20)
        rows = len(Collator.of(network, Vectors(store))([whole])["input_ids"])
        assert rows == (1 if expected == sys.maxsize else 2)
        if expected == WINDOW:
            forced = scores(network, store, [whole], longest_shared=sys.maxsize)
            assert (forced - scores(network, store, [whole])).abs().max() > 1e-3


class TestGeneration:
    def test_is_not_changed_by_left_padding(self, network, store):
        rows = [example("C01", prefix=3), example("C02", prefix=20)]
        options = {"max_new_tokens": 5, "eos_token_id": 10_000, "pad_token_id": 0}
        together = network.generate(**left_padded(rows, Vectors(store)), **options)
        for row, found in zip(rows, together, strict=True):
            alone = network.generate(**left_padded([row], Vectors(store)), **options)[0]
            assert torch.equal(found, alone)

    @pytest.mark.parametrize("injection", ["input", "last"])
    def test_beams_and_further_sequences_read_the_vectors_too(self, store, injection):
        """What is written is what is likeliest: one beam of one row and the best of both agree."""
        network = wrapped(plain_model("llama"), injection)
        rows = [example("C01", prefix=3), example("C02", prefix=20)]
        options = {"max_new_tokens": 5, "eos_token_id": 10_000, "pad_token_id": 0}
        more = options | {"num_beams": 3, "num_return_sequences": 2}
        together = network.generate(**left_padded(rows, Vectors(store)), **more)
        assert len(together) == 4
        for place, row in enumerate(rows):
            alone = network.generate(**left_padded([row], Vectors(store)), **more)
            assert torch.equal(together[2 * place : 2 * place + 2], alone)
        called = []
        network.mapper.register_forward_hook(lambda *_: called.append(True))
        network.generate(**left_padded(rows, Vectors(store)), **more)
        assert called


@pytest.mark.parametrize("family", ["bloom", "llama"])
def test_attention_that_an_llm_lacks_is_computed_plainly(tmp_path, monkeypatch, caplog, family):
    model, tokenizer = plain_model(family), byte_tokenizer()
    model.resize_token_embeddings(len(tokenizer))
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    monkeypatch.setattr("meg.model.llm.attention", lambda dtype, trained: "sdpa")
    built = build(ModelConfig(base=str(tmp_path), dtype="float32"), 6)[0]
    assert built.attention == ("eager" if family == "bloom" else "sdpa")
    assert ("computed plainly" in caplog.text) == (family == "bloom")


class TestApart:
    def test_gives_each_branch_its_own_concepts(self):
        mark = VOCABULARY
        whole = Example("q", (mark, 1), ((2, mark), (3,), (mark, mark)), tuple("ABCD"))
        parts = whole.apart(mark)
        assert [part.cuis for part in parts] == [("A", "B"), ("A",), ("A", "C", "D")]
