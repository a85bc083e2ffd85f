import pytest
import torch
from transformers.integrations import flash_attention
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from meg.config import TrainingConfig
from meg.model import attention as module
from meg.model.attention import attention, let_share_rows
from meg.model.batch import Collator
from meg.model.scores import inputs_of
from meg.prompts.tokens import Example
from meg.prompts.vectors import Vectors
from meg.training import loop

NAME = "flash_attention_2"


@pytest.fixture
def machine(monkeypatch):
    """A pretended GPU of a capability, with some versions of flash-attn installed."""

    def pretend(capability: int, *installed: int):
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "get_device_capability", lambda: (capability, 0))
        rows = [
            (name, lambda name=name: int(name[-1]) in installed, majors)
            for name, _, majors in module.FLASH
        ]
        monkeypatch.setattr(module, "FLASH", rows)

    return pretend


@pytest.mark.parametrize(
    ("capability", "installed", "expected"),
    [
        (9, (2, 3, 4), "flash_attention_4"),
        (9, (2, 3), "flash_attention_3"),
        (10, (2, 3), "flash_attention_2"),
        (8, (2, 4), "flash_attention_2"),
        (7, (2, 3, 4), "sdpa"),
        (9, (), "sdpa"),
    ],
)
def test_takes_the_newest_that_the_gpu_has(machine, capability, installed, expected):
    machine(capability, *installed)
    assert attention(torch.bfloat16, trained=False) == expected


def test_flash_knows_no_float32(machine):
    machine(9, 2, 3, 4)
    assert attention(torch.float32, trained=False) == "sdpa"


def test_a_cpu_computes_plainly(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert attention(torch.bfloat16, trained=True) == "eager"
    assert attention(torch.bfloat16, trained=False) == "sdpa"


def test_transformers_knows_the_names():
    assert {name for name, *_ in module.FLASH} <= set(ALL_ATTENTION_FUNCTIONS.valid_keys())


class TestFlashAttention:
    """Pretended by SDPA under another name, which refuses a shared row's mask as flash does."""

    @pytest.fixture
    def flash(self, monkeypatch):
        def refusing(layer, query, key, value, attention_mask, **keywords):
            assert attention_mask is None or attention_mask.ndim == 2, "flash takes no such mask"
            calls.append(query.shape)
            return sdpa_attention_forward(layer, query, key, value, None, **keywords)

        calls: list[torch.Size] = []
        monkeypatch.setattr(flash_attention, "flash_attention_forward", refusing)
        known = ALL_ATTENTION_FUNCTIONS._global_mapping
        monkeypatch.setitem(known, NAME, known[NAME])
        let_share_rows(NAME)
        monkeypatch.setitem(
            ALL_MASK_ATTENTION_FUNCTIONS._global_mapping, NAME, lambda *_, **__: None
        )
        return calls

    def test_gives_way_where_options_share_a_row(self, flash, network_and_tokens, store):
        network, tokens = network_and_tokens
        placeholder = (tokens.placeholder,)
        several = Example("a", (*placeholder, 5, 6), ((7, 8), (9,)), ("C01",))
        alone = [part for part in several.apart(tokens.placeholder)]
        shared, apart = (
            Collator.of(network, Vectors(store))(rows) for rows in ([several], alone[:1])
        )
        plain = [network(**inputs_of(batch)) for batch in (shared, apart)]
        network.attention = NAME
        torch.testing.assert_close(network(**inputs_of(shared)), plain[0], atol=1e-5, rtol=0)
        assert not flash
        torch.testing.assert_close(network(**inputs_of(apart)), plain[1], atol=1e-5, rtol=0)
        assert len(flash) == network.llm.config.num_hidden_layers

    def test_gives_way_where_layers_are_compiled(
        self, flash, network_and_tokens, store, monkeypatch
    ):
        network, tokens = network_and_tokens
        network.attention = NAME
        alone = Example("a", (tokens.placeholder, 5, 6), ((7, 8),), ("C01",))
        batch = inputs_of(Collator.of(network, Vectors(store))([alone]))
        monkeypatch.setattr(torch.nn.Module, "compile", lambda *_, **__: None)
        with loop.ready(network, TrainingConfig(compile=True), False):
            network(**batch)
            assert not flash
        network(**batch)
        assert flash
