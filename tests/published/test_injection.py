"""Vectors at the end of the LLM: behind the final norm, as published, or before the last layer."""

import pytest
import torch

from meg.model.checkpoint import build
from meg.model.network import plain

KGE = 6


@pytest.fixture
def network(model_config, request):
    torch.manual_seed(0)
    return build(model_config.model_copy(update={"injection": request.param}), KGE)[0].eval()


def inputs(network, rows):
    ids = torch.tensor(rows)
    concepts = torch.randn(int((ids == network.placeholder).sum()), KGE)
    return ids, concepts, torch.ones_like(ids), torch.arange(ids.shape[1]).expand_as(ids)


def hidden_states(network, ids):
    """What enters the output layer, of an LLM that reads zeros in the placeholders' places."""
    llm = plain(network.llm)
    mask = ids == network.placeholder
    table = llm.get_input_embeddings().weight
    embedded = table[ids.masked_fill(mask, 0)].masked_fill(mask[..., None], 0)
    return llm.model(inputs_embeds=embedded).last_hidden_state


@pytest.mark.parametrize("network", ["output"], indirect=True)
def test_behind_the_final_norm(network):
    """logits = W h, h overwritten by g(x) in the placeholders' places and nowhere else."""
    place = network.placeholder
    ids, concepts, *rest = inputs(network, [[3, place, 4, 5], [6, 7, place, place]])
    with torch.no_grad():
        hidden = hidden_states(network, ids)
        mapped = iter(network.mapper(concepts))
        for row, tokens in enumerate(ids):
            for column, token in enumerate(tokens):
                if token == place:
                    hidden[row, column] = next(mapped)
        expected = hidden @ plain(network.llm).get_output_embeddings().weight.T
        torch.testing.assert_close(network(ids, concepts, *rest), expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("network", ["output"], indirect=True)
def test_there_no_other_token_sees_a_vector(network):
    place = network.placeholder
    ids, concepts, *rest = inputs(network, [[3, place, 4, 5]])
    with torch.no_grad():
        changed = network(ids, concepts, *rest) - network(ids, concepts + 1, *rest)
    assert changed.abs().amax((0, 2)).gt(1e-4).tolist() == [False, True, False, False]


@pytest.mark.parametrize("network", ["last"], indirect=True)
def test_before_the_last_layer_those_behind_it_do(network):
    place = network.placeholder
    ids, concepts, *rest = inputs(network, [[3, place, 4, 5]])
    with torch.no_grad():
        changed = network(ids, concepts, *rest) - network(ids, concepts + 1, *rest)
    assert changed.abs().amax((0, 2)).gt(1e-4).tolist() == [False, True, True, True]


@pytest.mark.parametrize("network", ["output"], indirect=True)
def test_a_vector_in_the_last_place_chooses_the_first_word_that_is_written(network):
    place = network.placeholder
    ids, concepts, mask, _ = inputs(network, [[3, 4, place]])
    with torch.no_grad():
        weight = plain(network.llm).get_output_embeddings().weight
        [first] = (network.mapper(concepts) @ weight.T).argmax(-1)
        written = network.generate(ids, concepts, mask, max_new_tokens=2)
    assert written[0, 0] == first
