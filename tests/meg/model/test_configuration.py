"""Every value of the configuration changes what the model computes, or how it is trained."""

from importlib.util import find_spec

import numpy as np
import pytest
import torch

from kg.shared.errors import InputError
from meg.align import align, examples_of
from meg.config import (
    AlignConfig,
    FinetuneConfig,
    LoraSettings,
    MapperConfig,
    ModelConfig,
    PromptConfig,
    TrainingConfig,
)
from meg.datasets.question import Mentions, Question
from meg.finetune import finetune
from meg.model.batch import Collator
from meg.model.checkpoint import build
from meg.model.reader import Reader
from meg.model.scores import inputs_of
from meg.prompts.vectors import Vectors
from tests.meg.prompts.test_wording import mention

STEM, CONTEXT = "Is fever a finding in flu?", "Fever is common. "
QUESTIONS = [
    Question(
        id=f"q{i}",
        stem=STEM,
        context=CONTEXT * 20,
        options=("cough" * (i + 1), "gout"),
        answer=i % 2,
        mentions=Mentions(
            stem=(
                mention(STEM, "fever", ("C01", 0.5)),
                mention(STEM, "flu", ("C02", 0.9)),
            ),
            options=((mention("cough", "cough", ("C03", 1.0)),), ()),
        ),
    )
    for i in range(4)
]
NAMES = [(f"C{i:02}", f"name {i * 7}") for i in range(6)]
ONCE = TrainingConfig(batch_size=4, micro_batch_size=4, report_to=[])


def weights(network):
    return torch.cat([p.detach().flatten() for p in network.parameters() if p.requires_grad])


class TestModelConfig:
    def logits(self, config, store):
        torch.manual_seed(0)
        network, tokens = build(config, 6)
        for name, parameter in network.named_parameters():
            if "lora_B" in name:
                torch.nn.init.constant_(parameter, 0.1)
        example = tokens.question_example(QUESTIONS[0], PromptConfig(max_tokens=200), bool)
        with torch.no_grad():
            return network.train()(
                **inputs_of(Collator.of(network, Vectors(store))([example]))
            ).float()

    @pytest.mark.parametrize(
        "change",
        [
            {"system": "Answer."},
            {"injection": "last"},
            {"lora": LoraSettings(r=3, alpha=4, dropout=0)},
            {"lora": LoraSettings(r=2, alpha=8, dropout=0)},
            {"lora": LoraSettings(r=2, alpha=4, dropout=0.5)},
            {"mapper": MapperConfig(kind="mlp", layers=1, width=8)},
            {"mapper": MapperConfig(kind="mlp", layers=2, width=8)},
            {"mapper": MapperConfig(kind="mlp", layers=1, width=16)},
            {"mapper": MapperConfig(kind="transformer", layers=1, width=8)},
            {"mapper": MapperConfig(kind="linear", normalise=False)},
        ],
    )
    def test_changes_the_logits(self, model_config, store, change):
        plain = self.logits(model_config, store)
        changed = self.logits(model_config.model_copy(update=change), store)
        assert plain.shape != changed.shape or (plain - changed).abs().max() > 1e-4

    @pytest.mark.parametrize("fast", [True, False])
    def test_bfloat16_where_the_device_has_it(self, model_config, store, monkeypatch, fast):
        monkeypatch.setattr("meg.model.llm.fast_bfloat16", lambda: fast)
        plain = self.logits(model_config, store)
        narrow = self.logits(model_config.model_copy(update={"dtype": "bfloat16"}), store)
        assert bool((plain - narrow).abs().max() > 1e-4) == fast

    @pytest.mark.skipif(
        find_spec("bitsandbytes") is None, reason="bitsandbytes, a Linux package, is not installed"
    )
    @pytest.mark.parametrize("quantize", ["4bit", "8bit"])
    def test_adapters_of_a_quantised_base_are_trained(self, model_config, store, quantize):
        change = {"quantize": quantize, "mapper": MapperConfig(kind="linear", normalise=True)}
        torch.manual_seed(0)
        network, tokens = build(model_config.model_copy(update=change), 6)
        kinds = {type(module).__name__ for module in network.llm.modules()}
        assert {"4bit": "Linear4bit", "8bit": "Linear8bitLt"}[quantize] in kinds
        example = tokens.question_example(QUESTIONS[0], PromptConfig(max_tokens=200), bool)
        network(
            **inputs_of(Collator.of(network, Vectors(store))([example]))
        ).float().sum().backward()
        trained = {name for name, p in network.named_parameters() if p.grad is not None}
        assert any("lora_B" in name for name in trained)
        assert any("mapper" in name for name in trained)
        assert all("lora" in name or "mapper" in name for name in trained)

    def test_a_quantised_base_needs_bitsandbytes(self, base, monkeypatch):
        monkeypatch.setattr("meg.model.llm.is_bitsandbytes_available", lambda: False)
        with pytest.raises(InputError, match="pip install bitsandbytes"):
            build(ModelConfig(base=base, quantize="4bit"), 6)


class TestPromptConfig:
    @pytest.mark.parametrize(
        "change",
        [
            {"instruction": "Choose."},
            {"list_options": False},
            {"answer": "text"},
            {"answer": "yesno"},
            {"concepts": "none"},
            {"concepts": "question+options"},
            {"max_concepts": 1},
            {"max_tokens": 200},
        ],
    )
    def test_changes_the_tokens(self, network_and_tokens, change):
        _, tokens = network_and_tokens
        plain, changed = (
            tokens.question_example(QUESTIONS[0], PromptConfig(**settings), bool)
            for settings in ({}, change)
        )
        assert plain != changed


class TestFinetuneConfigRefuses:
    def test_to_learn_yes_alone(self):
        with pytest.raises(ValueError, match="nothing but Yes; set objective to listwise"):
            FinetuneConfig(prompt=PromptConfig(answer="yesno"), objective="answer")


class TestAlignConfig:
    def trained(self, model_config, store, state, config):
        torch.manual_seed(0)
        reader = Reader(*build(model_config, 6), Vectors(store, config.vectors))
        align(reader, NAMES, model_config, config, state, seed=0)
        return weights(reader.network)

    @pytest.mark.parametrize(
        "change",
        [
            {"concepts": 3},
            {"mapper_steps": 0},
            {"mapper_learning_rate": 1e-2},
            {"mapper_batch_size": 2},
            {"mapper_temperature": 1.0},
            {"temperature": 0.1},
            {"name": False},
            {"contrastive": False},
            {"cosine": False},
            {"vectors": "permuted"},
            {"names_per_prompt": 3},
        ],
    )
    def test_changes_the_trained_weights(self, model_config, store, tmp_path, change):
        settings = {"training": ONCE, "mapper_steps": 2}
        plain, changed = (
            self.trained(model_config, store, tmp_path / str(i), AlignConfig(**config))
            for i, config in enumerate((settings, settings | change))
        )
        assert (plain - changed).abs().max() > 1e-7

    def test_without_the_names_the_llm_is_left_alone(self, model_config, store, tmp_path):
        torch.manual_seed(0)
        network, tokens = build(model_config, 6)
        called = []
        network.register_forward_hook(lambda *_: called.append(True))
        before = network.mapper.state_dict()["network.weight"].clone()
        config = AlignConfig(training=ONCE, mapper_steps=2, name=False)
        reader = Reader(network, tokens, Vectors(store))
        history, metrics = align(reader, NAMES, model_config, config, tmp_path, seed=0)
        assert not called
        assert metrics.examples == 0
        assert {row["stage"] for row in history} == {"mapper"}
        assert (network.mapper.state_dict()["network.weight"] - before).abs().max() > 0

    def test_the_mapper_alone_needs_a_loss(self):
        with pytest.raises(ValueError, match="contrastive or the cosine loss, and both are false"):
            AlignConfig(mapper_steps=5, contrastive=False, cosine=False)

    def test_has_to_train_something(self):
        with pytest.raises(ValueError, match="nothing is trained"):
            AlignConfig(name=False)

    def test_extended_prompts_hold_several_names(self, network_and_tokens):
        _, tokens = network_and_tokens
        config = AlignConfig(names_per_prompt=4)
        found = examples_of(NAMES, tokens, config, np.random.default_rng(0))
        assert len(found) == 2 * len(NAMES)
        assert {len(example.cuis) for example in found[len(NAMES) :]} <= {2, 3, 4}


class TestFinetuneConfig:
    def trained(self, model_config, store, state, **settings):
        torch.manual_seed(0)
        network, tokens = build(model_config, 6)
        before = network.mapper.state_dict()["network.weight"].clone()
        prompt = PromptConfig(answer="text", max_tokens=200)
        config = FinetuneConfig(
            training=ONCE.model_copy(update={"epochs": 3}), prompt=prompt, **settings
        )
        reader = Reader(network, tokens, Vectors(store))
        finetune(reader, QUESTIONS, config, state, seed=0)
        return network, (network.mapper.state_dict()["network.weight"] - before).abs().max()

    @pytest.mark.parametrize("change", [{"objective": "listwise"}, {"questions": 2}])
    def test_changes_the_trained_weights(self, model_config, store, tmp_path, change):
        plain, _ = self.trained(model_config, store, tmp_path / "a")
        changed, _ = self.trained(model_config, store, tmp_path / "b", **change)
        assert (weights(plain) - weights(changed)).abs().max() > 1e-7

    @pytest.mark.parametrize("train_mapper", [False, True])
    def test_the_mapper_is_trained_only_if_told(self, model_config, store, tmp_path, train_mapper):
        _, moved = self.trained(model_config, store, tmp_path / "a", train_mapper=train_mapper)
        assert (moved > 0) == train_mapper


class TestTrainingConfig:
    def test_one_of_fsdp_and_deepspeed(self):
        with pytest.raises(ValueError, match="choose one"):
            TrainingConfig(fsdp=True, deepspeed="zero3.json")
