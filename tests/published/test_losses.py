"""Phase I's losses against their formulas, written out over Python numbers."""

import math
from statistics import fmean

import numpy as np
import pytest
import torch

from meg.align import train_mapper
from meg.config import AlignConfig, MapperConfig
from meg.model.batch import Collator
from meg.prompts.vectors import Vectors
from meg.prompts.wording import name_prompt
from meg.training.losses import nt_xent
from meg.training.objectives import Align, Contrast
from meg.training.retrieval import NameRetrieval

CONCEPTS = [("C01", "flu"), ("C02", "a long name of a disease"), ("C03", "Fever")]
TEMPERATURE = 0.7
WEIGHT = 0.3
LINEAR = MapperConfig(kind="linear", normalise=False)


def cosine(left, right):
    product = sum(a * b for a, b in zip(left, right, strict=True))
    return product / math.hypot(*left) / math.hypot(*right)


def one_way(left, right, temperature):
    """Mean over i of -log(exp(s_ii / t) / sum over j of exp(s_ij / t))."""
    mass = [[math.exp(cosine(a, b) / temperature) for b in right] for a in left]
    return fmean(-math.log(row[i] / sum(row)) for i, row in enumerate(mass))


def contrastive(style, left, right, temperature):
    forth, back = one_way(left, right, temperature), one_way(right, left, temperature)
    return {"paper": forth, "ours": (forth + back) / 2}[style]


@pytest.fixture
def phase_1(network_and_tokens, store):
    """Of a style: objective and batch."""
    network, tokens = network_and_tokens
    # Ours compares directions from the mean embedding, which the published mapper knows nothing of.
    network.mapper.normalise = False
    examples = [tokens.name_example(name_prompt([concept])) for concept in CONCEPTS]

    def made(style):
        torch.manual_seed(0)
        config = AlignConfig(style=style, temperature=TEMPERATURE)
        mapper = network.mapper.network
        contrast = Contrast(config, LINEAR, store.dim, mapper.out_features)
        value = WEIGHT if style == "paper" else math.log(WEIGHT / (1 - WEIGHT))
        contrast.weight.data.fill_(value)
        return (
            Align(network.eval(), contrast),
            Collator.of(network, Vectors(store))(examples),
            examples,
        )

    return made


@pytest.mark.parametrize("style", ["paper", "ours"])
def test_phase_1_is_the_sum_of_its_formulas(phase_1, style):
    align, batch, examples = phase_1(style)
    network = align.network
    with torch.no_grad():
        found = align(**batch)
        mapped = network.mapper(batch["concepts"])
        back = align.contrast.inverse(mapped)
    table = network.llm.get_input_embeddings().weight.detach().double()
    names = [table[list(example.names[0])].mean(0).tolist() for example in examples]
    contrast = contrastive(style, mapped.double().tolist(), names, TEMPERATURE)
    cosines = [
        1 - cosine(*pair)
        for pair in zip(back.double().tolist(), batch["concepts"].double().tolist(), strict=True)
    ]
    surprises = [surprise(network, batch, number, one) for number, one in enumerate(examples)]
    name = {
        "paper": fmean(token for of_name in surprises for token in of_name),
        "ours": fmean(map(fmean, surprises)),
    }[style]
    parts = {
        "loss_name": name,
        "loss_contrastive": WEIGHT * contrast,
        "loss_cosine": (1 - WEIGHT) * fmean(cosines),
    }
    for part, value in parts.items():
        assert float(found[part]) == pytest.approx(value, abs=1e-5)
    assert float(found["loss"]) == pytest.approx(sum(parts.values()), abs=1e-5)


def surprise(network, batch, number, example):
    """-log p of each token of a name and of the end behind it, read off the row of its prompt."""
    ids = torch.tensor([[*example.prefix, *example.branches[0]]])
    with torch.no_grad():
        positions = torch.arange(ids.shape[1])[None]
        concept = batch["concepts"][number : number + 1]
        logits = network(ids, concept, torch.ones_like(ids), positions)[0].double()
    first = len(example.prefix)
    return [
        math.log(sum(map(math.exp, logits[place - 1].tolist()))) - float(logits[place - 1, token])
        for place, token in enumerate(example.branches[0], first)
    ]


def test_the_two_ways_differ_for_names_of_unequal_length(phase_1):
    losses = {}
    for style in ("paper", "ours"):
        align, batch, _ = phase_1(style)
        with torch.no_grad():
            losses[style] = float(align(**batch)["loss_name"])
    assert abs(losses["paper"] - losses["ours"]) > 0.01


@pytest.mark.parametrize("style", ["paper", "ours"])
def test_nt_xent(style):
    left, right = torch.randn(2, 4, 8).double()
    groups = torch.arange(4)
    found = nt_xent(left, right, groups, TEMPERATURE, one_way=style == "paper")
    expected = contrastive(style, left.tolist(), right.tolist(), TEMPERATURE)
    assert float(found) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(("style", "start"), [("paper", 0.5), ("ours", 0.0)])
def test_its_weight_is_half_at_first(style, start):
    contrast = Contrast(AlignConfig(style=style), LINEAR, 4, 8)
    assert contrast.weight.tolist() == [start]


@pytest.mark.parametrize("style", ["paper", "ours"])
def test_the_rate_of_the_mapper_alone(phase_1, reader, monkeypatch, style):
    """Adam's at a constant rate; AdamW's, decay 0.01, at one that falls to zero."""
    align, _, examples = phase_1(style)
    seen = []
    kind = {"paper": torch.optim.AdamW, "ours": torch.optim.Adam}[style]

    class Seen(kind):
        def step(self, *arguments, **keywords):
            [group] = self.param_groups
            seen.append((group["lr"], group["weight_decay"]))
            return super().step(*arguments, **keywords)

    monkeypatch.setattr(torch.optim, kind.__name__, Seen)
    config = AlignConfig(style=style, mapper_steps=4, mapper_learning_rate=0.01)
    network, generator = align.network, np.random.default_rng(0)
    collate = Collator.of(network, reader.vectors)
    retrieval = NameRetrieval(reader, CONCEPTS)
    train_mapper(network, align.contrast, examples, collate, config, generator, retrieval)
    falling = [(pytest.approx(0.01 * (1 - step / 4)), 0.01) for step in range(4)]
    assert seen == {"paper": falling, "ours": [(0.01, 0)] * 4}[style]
