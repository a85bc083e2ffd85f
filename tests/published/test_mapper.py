"""Transformer mappers against their formulas: the norm before or behind, and who sees whom."""

import math

import pytest
import torch
from torch.nn import functional

from meg.config import MapperConfig
from meg.model.mapper import Mapper

WIDTH, KGE, HIDDEN = 8, 6, 16
CONCEPTS = torch.randn(5, KGE, generator=torch.Generator().manual_seed(0))
COUNTS = torch.tensor([3, 0, 2])
"""Of three rows of a batch."""


def layer_norm(x, state, name):
    mean, variance = x.mean(-1, keepdim=True), x.var(-1, keepdim=True, unbiased=False)
    return (x - mean) / (variance + 1e-5).sqrt() * state[f"{name}.weight"] + state[f"{name}.bias"]


def attention(x, state, heads):
    """Of one sequence (token, width)."""
    q, k, v = functional.linear(
        x, state["self_attn.in_proj_weight"], state["self_attn.in_proj_bias"]
    ).chunk(3, -1)
    seen = []
    for part in range(heads):
        of = slice(part * WIDTH // heads, (part + 1) * WIDTH // heads)
        weights = (q[:, of] @ k[:, of].T / math.sqrt(WIDTH / heads)).exp()
        seen.append(weights / weights.sum(-1, keepdim=True) @ v[:, of])
    projection = state["self_attn.out_proj.weight"], state["self_attn.out_proj.bias"]
    return functional.linear(torch.cat(seen, -1), *projection)


def feed_forward(x, state):
    inner = functional.linear(x, state["linear1.weight"], state["linear1.bias"]).clamp(min=0)
    return functional.linear(inner, state["linear2.weight"], state["linear2.bias"])


def transformer(x, mapper, style, heads):
    """The mapper's formula for one sequence of concepts (token, kge)."""
    down, _, encoder, _, up = mapper.network
    x = down(x)
    for layer in encoder.layers:
        state = layer.state_dict()
        if style == "paper":
            x = x + attention(layer_norm(x, state, "norm1"), state, heads)
            x = x + feed_forward(layer_norm(x, state, "norm2"), state)
        else:
            x = layer_norm(x + attention(x, state, heads), state, "norm1")
            x = layer_norm(x + feed_forward(x, state), state, "norm2")
    return up(x)


@pytest.mark.parametrize("training", [True, False])
@pytest.mark.parametrize("heads", [1, 2])
@pytest.mark.parametrize("style", ["paper", "ours"])
def test_a_transformer(style, heads, training):
    torch.manual_seed(0)
    config = MapperConfig(
        kind="transformer", layers=2, width=WIDTH, heads=heads, style=style, normalise=False
    )
    mapper = Mapper(config, KGE, HIDDEN).train(training)
    with torch.no_grad():
        alone = torch.cat([transformer(one[None], mapper, style, heads) for one in CONCEPTS])
        rows = [transformer(row, mapper, style, heads) for row in CONCEPTS.split([3, 2])]
        together = {"paper": torch.cat(rows), "ours": alone}[style]
        torch.testing.assert_close(mapper(CONCEPTS), alone, atol=1e-5, rtol=0)
        torch.testing.assert_close(mapper(CONCEPTS, COUNTS), together, atol=1e-5, rtol=0)
        assert mapper(CONCEPTS[:0], COUNTS[1:2]).shape == (0, HIDDEN)


def test_the_styles_differ_and_attention_counts():
    torch.manual_seed(0)
    config = MapperConfig(kind="transformer", layers=2, width=WIDTH, normalise=False)
    ours = Mapper(config, KGE, HIDDEN)
    paper = Mapper(config.model_copy(update={"style": "paper"}), KGE, HIDDEN)
    paper.load_state_dict(ours.state_dict())
    with torch.no_grad():
        assert (paper(CONCEPTS) - ours(CONCEPTS)).abs().max() > 0.1
        assert (paper(CONCEPTS, COUNTS) - paper(CONCEPTS)).abs().max() > 0.01
