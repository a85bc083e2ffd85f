"""What a configuration may say, and what a wrong one is told."""

import copy
from functools import reduce
from pathlib import Path
from typing import Any

import pytest
import yaml

from kg.shared.errors import InputError
from workflow.config import load_config
from workflow.configfiles import over_base
from workflow.layers import merge
from workflow.plan import Plan

ROOT = Path(__file__).parents[2]

TINY: dict[str, Any] = {
    "kg": {"name": "hpo", "source": "hpo"},
    "encoders": {"sage": {}, "edge": {"encoder": "edgegraphsage"}},
    "encoder": "sage",
    "datasets": {"quiz": {"questions": {"source": "hpoquiz"}}},
    "models": {"tiny": {"base": "random:llama"}},
    "variants": {
        "options": {"prompt": {"concepts": "question+options"}},
        "options_permuted": {"base": "options", "predict": {"vectors": "permuted"}},
    },
}

HARD = {"questions": {"source": "patients"}}
MAPPED = {"dataset": "quiz", "variants": {"options": "other"}}

PUBLISHED = {"dataset": "quiz", "model": "tiny", "accuracy": 54, "source": "a table"}


def shipped(*names: str) -> dict[str, Any]:
    """The values of some files, over the base as Snakemake has them."""
    files = (yaml.safe_load((ROOT / f"config/{name}.yaml").read_text()) for name in names)
    return over_base(reduce(merge, files))


def changed(over: dict[str, Any]) -> dict[str, Any]:
    return merge(copy.deepcopy(TINY), over)


class TestShippedConfigs:
    @pytest.mark.parametrize("name", ["published", "demo", "smoke"])
    def test_is_valid(self, name: str) -> None:
        load_config(shipped(name))

    @pytest.mark.parametrize("name", ["graphsage", "edgegraphsage"])
    def test_published_encoders_see_text_and_neighbours_alone(self, name: str) -> None:
        encoder = load_config(shipped("published")).encoders[name]
        assert (encoder.message_dim, encoder.spectral_dim, encoder.lineage) == (0, 0, 0)
        assert not encoder.free

    @pytest.mark.parametrize("name", ["demo", "smoke"])
    def test_ablations_fit_both_open_ones(self, name: str) -> None:
        assert len(load_config(shipped(name, "ablations")).ablations[0].variants) > 30

    def test_every_variant_of_the_base_is_asked_for(self) -> None:
        configs = [load_config(shipped(*names)) for names in (["published"], ["demo", "ablations"])]
        targets = [target for one in configs for target in (*one.targets, *one.ablations)]
        asked = {variant for target in targets for variant in target.variants}
        assert asked == set(shipped("base")["variants"])

    @pytest.mark.parametrize("names", [["ablations", "encoders"], ["pubmedqa"], ["patients"]])
    def test_further_ones_fit_the_demo(self, names: list[str]) -> None:
        load_config(shipped("demo", *names))

    def test_smoke_has_the_runs_of_the_demo(self) -> None:
        demo, smoke = (load_config(shipped(name)) for name in ("demo", "smoke"))
        assert smoke.targets == demo.targets
        assert smoke.comparisons == demo.comparisons
        assert list(smoke.variants) == list(demo.variants)
        assert list(smoke.encoders) == list(demo.encoders)


class TestFileOfOnesOwn:
    OWN = {key: TINY[key] for key in ("kg", "datasets", "models")} | {
        "targets": [{"dataset": "quiz", "model": "tiny", "variants": ["text_only", "permuted"]}]
    }

    def test_stands_alone_on_the_base(self) -> None:
        plan = Plan(load_config(over_base(self.OWN)))
        assert [run.variant for run in plan.targets] == ["main", "text_only", "permuted"]
        assert list(plan.compared(plan.targets[0])) == ["text_only", "permuted", "zero_shot"]

    def test_of_changes_alone_is_told_what_to_stand_behind(self) -> None:
        with pytest.raises(InputError) as error:
            load_config(over_base({"models": {"llama": {"gpus": 1}}}))
        assert "kg: Field required" in str(error.value)
        assert "--configfile config/demo.yaml mine.yaml" in str(error.value)


@pytest.mark.parametrize("layers", ["mlp_2x128", "mlp_3x128", "mlp_2x384", "mlp_2x512"])
@pytest.mark.parametrize("model", ["llama", "smollm"])
def test_variants_named_mlp_have_one(model: str, layers: str) -> None:
    mapper = load_config(shipped("published")).model_of(model, layers).mapper
    assert (mapper.kind, f"mlp_{mapper.layers}x{mapper.width}") == ("mlp", layers)


class TestStyle:
    def test_is_of_mapper_phase_1_and_prompt_that_set_none(self) -> None:
        phase = {"align": {"style": "ours"}}
        config = load_config(changed({"style": "paper", "variants": {"mixed": phase}}))
        assert config.model_of("tiny", "main").mapper.style == "paper"
        assert config.prompt_of("quiz", "tiny", "main").style == "paper"
        assert config.align_of("tiny", "main").style == "paper"
        assert config.align_of("tiny", "mixed").style == "ours"
        plain = load_config(changed({}))
        assert plain.align_of("tiny", "main").style == "ours"

    def test_of_the_published_runs_is_that_of_the_paper(self) -> None:
        config = load_config(shipped("published"))
        for model in ("llama", "mistral", "mistral_v01"):
            prompt = config.prompt_of("medqa", model, "main")
            assert (prompt.style, prompt.answer) == ("paper", "letter+text")
            assert config.align_of(model, "main").style == "paper"
        batches = {m: config.align_of(m, "main").training for m in ("llama", "mistral")}
        assert {m: b.micro_batch_size for m, b in batches.items()} == {"llama": 2, "mistral": 4}
        assert {m: b.max_grad_norm for m, b in batches.items()} == {"llama": 1.0, "mistral": None}


class TestWrongConfig:
    @pytest.mark.parametrize(
        ("over", "message"),
        [
            ({"sed": 1}, "sed: Extra inputs are not permitted (got 1)"),
            ({"kg": {"name": None}}, "kg.name: Input should be a valid string (got None)"),
            ({"kg": {"source": "umls"}}, "kg: folder: kg.umls needs the folder of its files"),
            ({"encoder": "gat"}, "encoder: 'gat' is unknown; known: edge, sage"),
            (
                {"finetune": {"training": {"epochs": 0}}},
                "finetune.training.epochs: Input should be greater than 0 (got 0)",
            ),
            (
                {"models": {"tiny": {"align": {"training": {"epoch": 2}}}}},
                "models.tiny.align.training.epoch: Extra inputs are not permitted (got 2)",
            ),
            (
                {"variants": {"options": {"model": {"lora": {"r": "many"}}}}},
                "variants.options.model.lora.r: Input should be a valid integer",
            ),
            (
                {"datasets": {"quiz": {"prompt": {"answer": "digit"}}}},
                "datasets.quiz.prompt.answer: Input should be 'text', 'letter', 'letter+text' or",
            ),
            (
                {"datasets": {"quiz": {"align": {"training": {"epochs": 2}}}}},
                "datasets.quiz.align: Extra inputs are not permitted",
            ),
            (
                {
                    "datasets": {
                        "other": TINY["datasets"]["quiz"]
                        | {"trained_on": "quiz", "finetune": {"training": {"epochs": 2}}}
                    }
                },
                "finetune: it is answered by the model of quiz; set finetune there",
            ),
            (
                {"datasets": {"quiz": {"finetune": {"after": {"dataset": "quiz"}}}}},
                "datasets.quiz.finetune.after: it comes after itself",
            ),
            (
                {"datasets": {"quiz": {"finetune": {"after": {"dataset": "exam"}}}}},
                "datasets.quiz.finetune.after.dataset: 'exam' is unknown; known: quiz",
            ),
            (
                {"datasets": {"quiz": {"finetune": {"after": {"data": "quiz"}}}}},
                "datasets.quiz.finetune.after.dataset: Field required",
            ),
            (
                {"datasets": {"hard": HARD | {"finetune": {"after": MAPPED}}}},
                "datasets.hard.finetune.after.variants: 'other' is unknown; known: main, options",
            ),
            (
                {"variants": {"options": {"finetune": {"after": {"dataset": "quiz"}}}}},
                "datasets.quiz.finetune.after: quiz comes before it, so it is named here",
            ),
            (
                {"datasets": {"quiz": {"beside": ["luck"]}}},
                "datasets.quiz.beside.0: Input should be 'information', 'vectors' or 'text'",
            ),
            (
                {
                    "datasets": {"quiz": {"beside": ["information"]}},
                    "kg": {"source": "umls", "folder": "x"},
                },
                "datasets.quiz.beside: information is that of findings",
            ),
            (
                {"datasets": {"quiz": {"beside": ["vectors"]}}, "variants": {"with_vectors": {}}},
                "datasets.quiz.beside: the variant with_vectors has a name of these",
            ),
            (
                {"finetune": {"prompt": {"answer": "text"}}},
                "finetune.prompt: the section prompt stands beside finetune",
            ),
            ({"datasets": {"a b": TINY["datasets"]["quiz"]}}, "datasets: 'a b' is not a name"),
            ({"kg": {"name": "a/../b"}}, "kg.name: 'a/../b' is not a name"),
            ({"kg": {"name": ""}}, "kg.name: '' is not a name"),
            ({"encoders": {"linker": {"encoder": "text"}}}, "encoders.linker: this name is taken"),
            (
                {"kg": {"source": "release", "folder": "umls"}},
                "kg: release.embeddings: name the published ones to use",
            ),
            (
                {"variants": {"options": {"model": {"base": "other/LLM"}}}},
                "variants.options.model: base: 'other/LLM' is another LLM",
            ),
            ({"variants": {"main": {}}}, "variants.main: this name is taken"),
            ({"variants": {"options": {"base": "options_permuted"}}}, "its bases form a circle"),
            (
                {"variants": {"plain": {"checkpoint": "none"}}},
                "variants.plain: the base LLM (checkpoint: none) has no mapper for concepts",
            ),
            ({"comparisons": {"main": ["other"]}}, "comparisons: 'other' is unknown"),
            (
                {"targets": [{"dataset": "quiz", "model": "llama"}]},
                "targets.0.model: 'llama' is unknown; known: tiny",
            ),
            (
                {"ablations": [{"dataset": "quiz", "model": "tiny", "variants": ["none"]}]},
                "ablations.0.variants: 'none' is unknown; known: options, options_permuted",
            ),
            (
                {"targets": [{"dataset": "quiz", "model": "tiny", "seeds": [1, 2]}]},
                "targets.0.seeds: begins with 1, expected seed, 0",
            ),
            (
                {"targets": [{"dataset": "quiz", "model": "tiny", "seeds": [0, 1, 1]}]},
                "targets.0.seeds: [0, 1, 1]: expected different seeds",
            ),
            (
                {"published": [PUBLISHED | {"variant": "mian"}]},
                "published.0.variant: 'mian' is unknown; known: main, options, options_permuted",
            ),
            (
                {"published": [PUBLISHED | {"accuracy": 540}]},
                "published.0.accuracy: Input should be less than or equal to 100 (got 540)",
            ),
            (
                {"datasets": {"quiz": {"prompt": {"max_concepts": {"anatomy": 2}}}}},
                "datasets.quiz.prompt.max_concepts: has no `other`",
            ),
            (
                {
                    "prompt": {"answer": "text", "list_options": False},
                    "targets": [{"dataset": "quiz", "model": "tiny", "variants": ["options"]}],
                },
                "targets.0: quiz with options asks for the options' concepts, but list_options",
            ),
        ],
    )
    def test_names_the_key(self, over: dict[str, Any], message: str) -> None:
        with pytest.raises(InputError) as error:
            load_config(changed(over))
        assert message in str(error.value)


class TestOverrides:
    def test_later_layers_win(self) -> None:
        config = load_config(
            changed(
                {
                    "prompt": {"max_tokens": 100, "max_concepts": 1, "instruction": "Say."},
                    "datasets": {"quiz": {"prompt": {"max_tokens": 200, "max_concepts": 2}}},
                    "models": {"tiny": {"prompt": {"max_concepts": 3}}},
                }
            )
        )
        prompt = config.finetune_of("quiz", "tiny", "options").prompt
        assert (prompt.instruction, prompt.max_tokens, prompt.max_concepts) == ("Say.", 200, 3)
        assert prompt.concepts == "question+options"
        assert prompt == config.prompt_of("quiz", "tiny", "options")

    def test_variant_inherits_from_its_base(self) -> None:
        config = load_config(
            changed({"variants": {"options": {"encoder": "edge", "checkpoint": "align"}}})
        )
        assert config.prompt_of("quiz", "tiny", "options_permuted").concepts == "question+options"
        assert config.predict_of("quiz", "tiny", "options_permuted").vectors == "permuted"
        assert config.encoder_of("options_permuted") == "edge"
        assert config.checkpoint_of("options_permuted") == "align"

    def test_seed_reaches_sections_without_their_own(self) -> None:
        config = load_config(changed({"seed": 5, "encoders": {"edge": {"seed": 1}}}))
        seeds = [config.encoder_settings(name).seed for name in ("sage", "edge")]
        assert seeds == [5, 1]
        assert Plan(config).runs["quiz_tiny"].predict.seed == 5
