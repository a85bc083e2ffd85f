import pytest
import torch

from kg.shared.errors import InputError
from meg.config import PredictConfig, PromptConfig
from meg.inference.answer import predict
from meg.inference.generation import left_padded, write
from meg.model.checkpoint import build
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors
from tests.meg.inference.test_answer import questions


def example(tokens, length, *cuis):
    return Example("q", (*range(20, 20 + length), *[tokens.placeholder] * len(cuis), 7), (), cuis)


def by_hand(network, batch, steps):
    """Greedy search that runs the whole row again for each token."""
    ids = batch["input_ids"]
    for _ in range(steps):
        mask, positions = torch.ones_like(ids), torch.arange(ids.shape[1])[None]
        with torch.no_grad():
            logits = network(ids, batch["concepts"], mask, positions)
        ids = torch.cat([ids, logits[:, -1:].argmax(-1)], dim=1)
    return ids[:, batch["input_ids"].shape[1] :]


class TestGenerate:
    @pytest.mark.parametrize("injection", ["input", "last"])
    def test_is_the_greedy_search_over_our_own_logits(self, model_config, store, injection):
        torch.manual_seed(0)
        network, tokens = build(model_config.model_copy(update={"injection": injection}), 6)
        batch = left_padded([example(tokens, 5, "C01", "C02")], Vectors(store))
        with torch.no_grad():
            found = network.generate(**batch, max_new_tokens=6, eos_token_id=10_000)
        assert torch.equal(found, by_hand(network, batch, 6))

    def test_is_not_changed_by_left_padding(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        rows = [example(tokens, 3, "C01"), example(tokens, 30, "C02", "C03"), example(tokens, 9)]
        together = write(network, tokens, left_padded(rows, Vectors(store)), 8)
        alone = [write(network, tokens, left_padded([row], Vectors(store)), 8)[0] for row in rows]
        assert together == alone

    def test_streams(self, network_and_tokens, store):
        network, tokens = network_and_tokens
        pieces = []

        class Streamer:
            def put(self, value):
                pieces.append(value)

            def end(self):
                pieces.append(None)

        batch = left_padded([example(tokens, 3, "C01")], Vectors(store))
        write(network, tokens, batch, 3, streamer=Streamer())
        assert pieces[-1] is None
        assert len(pieces) > 2


class TestPredictions:
    def test_keep_the_text_and_leave_what_cannot_be_read_open(self, reader):
        config = PredictConfig(method="generate", batch_size=3)
        rows = predict(reader, questions(), PromptConfig(), config)
        again = predict(reader, questions(), PromptConfig(), config)
        assert rows == again
        assert any(row.text for row in rows)
        assert all(row.prediction is None and row.scores is None for row in rows)

    def test_of_verdicts_are_refused(self, reader):
        prompt = PromptConfig(answer="yesno")
        with pytest.raises(InputError, match="cannot be generated"):
            predict(reader, questions(), prompt, PredictConfig(method="generate"))
