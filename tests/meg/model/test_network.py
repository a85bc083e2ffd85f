from types import SimpleNamespace

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM

from meg.model.batch import Collator
from meg.model.checkpoint import build
from meg.model.network import context_length
from meg.model.scores import inputs_of, option_scores
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors


def example(tokens, *, branches=((5, 6, 7), (8, 9)), cuis=("C01",), prefix=12, name="q"):
    """`prefix` tokens with the first concepts' placeholders in front, then the branches."""
    marks = (tokens.placeholder,) * len(cuis)
    return Example(name, (3, *marks, *range(10, 10 + prefix)), tuple(branches), tuple(cuis))


def scores(network, store, examples, verdicts=None):
    batch = Collator(Vectors(store), verdicts=verdicts is not None)(examples)
    with torch.no_grad():
        return option_scores(network(**inputs_of(batch)), batch, verdicts)


class TestTextOnly:
    def test_logits_are_bit_equal_to_the_base_models(self, network_and_tokens, base):
        network, _ = network_and_tokens
        plain = AutoModelForCausalLM.from_pretrained(base, attn_implementation="eager")
        ids = torch.arange(40).reshape(2, 20)
        mask, positions = torch.ones_like(ids), torch.arange(20).expand(2, -1)
        with torch.no_grad():
            ours = network(ids, torch.zeros(0, 6), mask, positions)
            theirs = plain(input_ids=ids, attention_mask=mask, position_ids=positions).logits
        assert torch.equal(ours, theirs)

    def test_a_later_token_does_not_change_earlier_logits(self, network_and_tokens):
        network, _ = network_and_tokens
        ids = torch.arange(20)[None]
        other = ids.clone()
        other[0, 15] = 99
        empty, mask, positions = torch.zeros(0, 6), torch.ones_like(ids), torch.arange(20)[None]
        with torch.no_grad():
            first = network(ids, empty, mask, positions)
            second = network(other, empty, mask, positions)
        assert torch.equal(first[:, :15], second[:, :15])
        assert not torch.equal(first[:, 15:], second[:, 15:])


class TestInjection:
    def test_equals_a_loop_over_rows(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        examples = [example(tokens, cuis=("C01", "C02")), example(tokens, cuis=("C03",), prefix=4)]
        batch = Collator(Vectors(store))(examples)
        with torch.no_grad():
            embedded = network.embed(batch["input_ids"], batch["concepts"])
            mapped = iter(network.mapper(batch["concepts"]))
            table = network.llm.get_input_embeddings().weight
            for row, ids in enumerate(batch["input_ids"]):
                for column, token in enumerate(ids):
                    slow = next(mapped) if token == tokens.placeholder else table[token]
                    assert torch.equal(embedded[row, column], slow)

    @pytest.mark.parametrize("injection", ["input", "last"])
    def test_another_vector_changes_the_logits(self, model_config, store, injection):
        network, tokens = build(model_config.model_copy(update={"injection": injection}), 6)
        one = scores(network, store, [example(tokens, cuis=("C01",))])
        other = scores(network, store, [example(tokens, cuis=("C02",))])
        assert (one - other).abs().max() > 1e-3

    def test_gradients_reach_mapper_and_adapters_only(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        batch = Collator(Vectors(store))([example(tokens)])
        option_scores(network(**inputs_of(batch)), batch, None).sum().backward()
        touched = {name for name, p in network.named_parameters() if p.grad is not None}
        assert any(name.startswith("mapper") for name in touched)
        assert all(name.startswith("mapper") or "lora_" in name for name in touched)

    def test_a_missing_vector_is_an_error(self, network_and_tokens):
        network, tokens = network_and_tokens
        ids = torch.tensor([[3, tokens.placeholder, 4]])
        with pytest.raises(ValueError, match="0 concept vectors for 1 placeholders"):
            network(ids, torch.zeros(0, 6), torch.ones_like(ids), torch.arange(3)[None])


class TestSharedPrefix:
    """Branches in one row score as they would alone; worst error seen 2e-6, in float32."""

    def test_each_branch_scores_as_if_it_stood_alone(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        whole = example(tokens, branches=((5, 6, 7), (8, 9), (5,), (11, 12, 13, 14)))
        alone = [example(tokens, branches=(branch,)) for branch in whole.branches]
        expected = torch.cat([scores(network, store, [one]) for one in alone])
        torch.testing.assert_close(scores(network, store, [whole]), expected, atol=1e-5, rtol=0)

    def test_verdicts_are_read_behind_each_branch(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        whole = example(tokens)
        alone = [example(tokens, branches=(branch,)) for branch in whole.branches]
        expected = torch.cat([scores(network, store, [one], (7, 9)) for one in alone])
        found = scores(network, store, [whole], (7, 9))
        torch.testing.assert_close(found, expected, atol=1e-5, rtol=0)

    def test_batch_neighbours_and_padding_change_nothing(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        short = example(tokens, prefix=3, cuis=())
        long = example(tokens, prefix=30, cuis=("C04", "C05"))
        together = scores(network, store, [short, long])
        apart = torch.cat([scores(network, store, [short]), scores(network, store, [long])])
        torch.testing.assert_close(together, apart, atol=1e-5, rtol=0)


class TestNarrowLogits:
    @pytest.mark.parametrize("rows", [7, 2048])
    @pytest.mark.parametrize("biased", [False, True])
    def test_are_float32_where_options_are_compared(
        self, network_and_tokens, store, monkeypatch, rows, biased
    ):
        """Else, rounded to bfloat16, those of two options would often be equal."""
        monkeypatch.setattr("meg.model.network.WIDENED_ROWS", rows)
        network, tokens = network_and_tokens
        if biased:
            head = network.llm.get_output_embeddings()
            head.bias = torch.nn.Parameter(torch.linspace(-1, 1, len(head.weight)))
        network.llm.get_base_model().bfloat16()
        batch = inputs_of(Collator(Vectors(store), torch.bfloat16)([example(tokens)]))
        read = []
        head = network.llm.get_output_embeddings()
        head.register_forward_hook(lambda _, inputs, __: read.append(inputs[0]))
        with network.autocast():
            trained = network(**batch)
            with torch.no_grad():
                compared = network(**batch)
        assert trained.dtype == torch.bfloat16
        expected = read[1][0].float() @ head.weight.float().T
        if biased:
            expected += head.bias.float()
        torch.testing.assert_close(compared, expected, atol=1e-5, rtol=1e-5)


class TestLogitsAt:
    def test_are_those_positions_of_all_logits(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        batch = inputs_of(Collator(Vectors(store))([example(tokens), example(tokens, prefix=5)]))
        with torch.no_grad():
            some = network(**batch)
            at = batch.pop("logits_at")
            everywhere = network(**batch)
        torch.testing.assert_close(some, everywhere.flatten(0, 1)[at], atol=1e-5, rtol=0)


class TestContextLength:
    @pytest.mark.parametrize(
        ("kind", "named", "length"),
        [
            ("llama", {"max_position_embeddings": 77}, 77),
            ("gpt2", {"n_positions": 77}, 77),
            ("bloom", {"seq_length": 77}, 77),
            ("bloom", {}, None),
            ("mpt", {"max_seq_len": 77}, 77),
            ("mamba", {}, None),
        ],
    )
    def test_is_read_by_each_family_s_name(self, kind, named, length):
        config = AutoConfig.for_model(kind, **named)
        assert context_length(SimpleNamespace(config=config)) == length
