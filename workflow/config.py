"""The whole configuration: the sections of all stages, and what differs from run to run.

A run is a data set, a model and a variant. Its sections are the configured ones with the overrides
of the data set, the model and the variant merged in, in this order; they are checked after every
layer, so that an error names the layer that brought it. Imports no torch: the Snakefile validates
in a moment.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

from pydantic import Field, ValidationError, model_validator

from kg.config import EncoderConfig, FeaturesConfig
from kg.shared.command import Section
from kg.shared.errors import InputError
from meg.config import (
    After,
    AlignConfig,
    FinetuneConfig,
    ModelConfig,
    PredictConfig,
    PromptConfig,
    RankConfig,
    Style,
)
from meg.datasets.settings import QuestionsConfig
from meg.prompts.wording import shows_options
from workflow.layers import Layer, Values, error_lines, given, merged, seeded
from workflow.sections import (
    KG,
    LLM,
    MAIN,
    Dataset,
    Linking,
    Published,
    Target,
    Variant,
    together,
)

__all__ = ["Config", "load_config"]

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

STYLED = ("align", "prompt")
"""Sections with a style; a model's is its mapper's."""

LINKER = "linker"
"""Folder beside those of the encoders."""


class Config(Section):
    """Everything that `config/*.yaml` may say."""

    seed: int = Field(
        0, ge=0, lt=2**32, description="seed of every stage that does not set its own"
    )
    style: Style = Field(
        "ours",
        description="of every mapper, Phase I and prompt that does not set its own: paper, as the "
        "published code has it, or ours (docs/explanation/method.md)",
    )
    directory: str | None = Field(
        None,
        description="folder that results/ and logs/ are made in, so that those of several graphs "
        "or experiments stand side by side (snakemake --directory goes before it); null: here",
    )
    kg: KG = Field(description="the knowledge graph")
    features: FeaturesConfig = Field(FeaturesConfig(), description="names to vectors: kg.features")
    encoders: dict[str, EncoderConfig] = Field({}, description="graph encoders by name: kg.train")
    encoder: str = Field(
        description="the encoder of the main variant: one of encoders or of kg.release.embeddings"
    )
    link: Linking = Field(Linking(), description="text to concepts: kg.link")
    datasets: dict[str, Dataset] = Field(min_length=1, description="data sets by name")
    models: dict[str, LLM] = Field(min_length=1, description="LLMs by name")
    align: Values = Field({}, description="Phase I: meg.align")
    prompt: Values = Field({}, description="how a question is put: meg.finetune, meg.predict")
    finetune: Values = Field({}, description="Phase II: meg.finetune")
    predict: Values = Field({}, description="answering: meg.predict")
    rank: RankConfig = Field(RankConfig(), description="ranking all diseases: meg.rank")
    variants: dict[str, Variant] = Field({}, description="runs that differ from the main one")
    comparisons: dict[str, list[str]] = Field(
        {}, description="variant (or main) -> variants its result is compared with, pairwise"
    )
    targets: list[Target] = Field([], description="what `all` and the report hold")
    ablations: list[Target] = Field([], description="what `snakemake ablations` makes")
    published: list[Published] = Field([], description="accuracies to compare ours with")

    @model_validator(mode="after")
    def _consistent(self) -> "Config":
        for name in self.kg.stores:
            self.encoders.pop(name, None)  # The published vectors stand for the encoder they name.
        self._check_names()
        for where, known, name in self._references():
            if name not in known:
                raise ValueError(f"{where}: {name!r} is unknown; known: {', '.join(sorted(known))}")
        for dataset in self.datasets:
            self.line(dataset)
            self._check_beside(dataset)
        if MAIN in self.variants:
            raise ValueError(f"variants.{MAIN}: this name is taken by the run without overrides")
        for where, target in self._targets():
            if target.seeds and target.seeds[0] != self.seed:
                raise ValueError(
                    f"{where}.seeds: begins with {target.seeds[0]}, expected seed, {self.seed}: "
                    "the files named without a seed are of that one"
                )
            for variant in (MAIN, *target.variants):
                prompt = self.prompt_of(target.dataset, target.model, variant)
                if prompt.concepts == "question+options" and not shows_options(prompt):
                    raise ValueError(
                        f"{where}: {target.dataset} with {variant} asks for the options' concepts, "
                        f"but list_options is false and answer {prompt.answer}: no prompt has them"
                    )
        for dataset, model, variant in product(self.datasets, self.models, self.all_variants):
            self._check_sections(dataset, model, variant)
        return self

    def _check_names(self) -> None:
        names = [("kg.name", self.kg.name)]
        for key in ("encoders", "datasets", "models", "variants"):
            names += [(key, name) for name in getattr(self, key)]
        for where, name in names:
            if not NAME.fullmatch(name):
                raise ValueError(f"{where}: {name!r} is not a name: letters, digits, '_.-' only")
        if LINKER in self.encoders:
            raise ValueError(f"encoders.{LINKER}: this name is taken by the linker's folder")

    @property
    def all_variants(self) -> list[str]:
        """The main variant, then the others in the order of the configuration."""
        return [MAIN, *self.variants]

    def lineage(self, variant: str) -> list[tuple[str, Variant]]:
        """A variant's bases, the farthest first, and itself; empty for the main one."""
        line: list[tuple[str, Variant]] = []
        name: str | None = None if variant == MAIN else variant
        while name is not None:
            if name in dict(line):
                raise ValueError(f"variants.{variant}: its bases form a circle")
            line.insert(0, (name, self.variants[name]))
            name = self.variants[name].base
        return line

    def line(self, dataset: str) -> list[str]:
        """A data set and those whose Phases II come before its own, the last first."""
        line = [dataset]
        while (after := self.datasets[line[-1]].finetune.get("after")) is not None:
            if after["dataset"] in line:
                raise ValueError(f"datasets.{dataset}.finetune.after: it comes after itself")
            line.append(after["dataset"])
        return line

    def checkpoint_of(self, variant: str) -> str:
        """Whose answers a variant gives."""
        return self._nearest(variant, "checkpoint", "finetune")

    def encoder_of(self, variant: str) -> str:
        """Name of the encoder whose vectors a variant injects."""
        return self._nearest(variant, "encoder", self.encoder)

    def encoder_settings(self, encoder: str) -> EncoderConfig:
        """Section of an encoder."""
        return seeded(self.encoders[encoder], self.seed)

    def questions_of(self, dataset: str) -> QuestionsConfig:
        """Section of a data set's questions."""
        return seeded(self.datasets[dataset].questions, self.seed)

    def model_of(self, model: str, variant: str) -> ModelConfig:
        """The LLM as a variant runs it."""
        return merged(ModelConfig, self.model_layers(model, variant))

    def align_of(self, model: str, variant: str) -> AlignConfig:
        """Phase I of a model; the data set has no part in it."""
        return merged(AlignConfig, self.layers("align", None, model, variant))

    def prompt_of(self, dataset: str, model: str, variant: str) -> PromptConfig:
        """How a data set's questions are put."""
        return merged(PromptConfig, self.layers("prompt", dataset, model, variant))

    def finetune_of(self, dataset: str, model: str, variant: str) -> FinetuneConfig:
        """Phase II on a data set, with its prompt."""
        prompt = given(self.prompt_of(dataset, model, variant))
        layers = self.layers("finetune", dataset, model, variant)
        for where, values in layers:
            if "prompt" in values:
                raise ValueError(f"{where}.prompt: the section prompt stands beside finetune")
        return merged(FinetuneConfig, [*layers, ("prompt", {"prompt": prompt})])

    def predict_of(self, dataset: str, model: str, variant: str) -> PredictConfig:
        """How answers are read off."""
        return merged(PredictConfig, self.layers("predict", dataset, model, variant))

    def layers(self, section: str, dataset: str | None, model: str, variant: str) -> list[Layer]:
        """Where a section's values come from, the strongest last."""
        layers = [(section, getattr(self, section))]
        if section in STYLED:
            layers.insert(0, ("", {"style": self.style}))
        if dataset is not None:
            layers.append(
                (f"datasets.{dataset}.{section}", getattr(self.datasets[dataset], section))
            )
        layers.append((f"models.{model}.{section}", getattr(self.models[model], section)))
        for name, one in self.lineage(variant):
            layers.append((f"variants.{name}.{section}", getattr(one, section)))
        return layers

    def model_layers(self, model: str, variant: str) -> list[Layer]:
        """The same of the section of an LLM."""
        styled = {"mapper": {"style": self.style}}
        layers = [("", styled), (f"models.{model}", self.models[model].settings)]
        return layers + [(f"variants.{k}.model", v.model) for k, v in self.lineage(variant)]

    def _nearest(self, variant: str, field: str, main: Any) -> Any:
        """A variant's own value of a field, else that of its nearest base, else the main one's."""
        values = [getattr(one, field) for _, one in self.lineage(variant)]
        return next((value for value in reversed(values) if value is not None), main)

    def _references(self) -> Iterator[tuple[str, Mapping[str, Any] | list[str], str]]:
        """Every name that must be a key of something: where it stands, of what, the name."""
        encoders = [*self.encoders, *self.kg.stores]
        own = [name for name, one in self.datasets.items() if one.trained_on is None]
        yield "encoder", encoders, self.encoder
        for key, dataset in self.datasets.items():
            if dataset.trained_on is not None:
                yield f"datasets.{key}.trained_on", own, dataset.trained_on
            if (after := dataset.finetune.get("after")) is not None:
                where = f"datasets.{key}.finetune.after"
                yield f"{where}.dataset", own, merged(After, [(where, after)]).dataset
        for key, variant in self.variants.items():
            if variant.base is not None:
                yield f"variants.{key}.base", self.variants, variant.base
            if variant.encoder is not None:
                yield f"variants.{key}.encoder", encoders, variant.encoder
        for key, others in self.comparisons.items():
            for name in (key, *others):
                yield "comparisons", self.all_variants, name
        for where, target in self._targets():
            yield f"{where}.dataset", self.datasets, target.dataset
            yield f"{where}.model", self.models, target.model
            for name in target.variants:
                yield f"{where}.variants", self.variants, name
        for number, one in enumerate(self.published):
            yield f"published.{number}.dataset", self.datasets, one.dataset
            yield f"published.{number}.model", self.models, one.model
            yield f"published.{number}.variant", self.all_variants, one.variant

    def _targets(self) -> Iterator[tuple[str, Target]]:
        """Both lists of targets: where each stands, and it."""
        for key in ("targets", "ablations"):
            for number, target in enumerate(getattr(self, key)):
                yield f"{key}.{number}", target

    def _check_sections(self, dataset: str, model: str, variant: str) -> None:
        self.model_of(model, variant)
        self.align_of(model, variant)
        finetune = self.finetune_of(dataset, model, variant)
        if finetune.after is not None:
            self._check_after(finetune.after, dataset)
        self.predict_of(dataset, model, variant)
        if self.checkpoint_of(variant) == "none" and finetune.prompt.concepts != "none":
            raise ValueError(
                f"variants.{variant}: the base LLM (checkpoint: none) has no mapper for concepts; "
                "set its prompt.concepts to none"
            )

    def _check_beside(self, dataset: str) -> None:
        beside = self.datasets[dataset].beside
        where = f"datasets.{dataset}.beside"
        if "information" in beside and self.kg.source != "hpo":
            raise ValueError(
                f"{where}: information is that of findings, which kg.source {self.kg.source} does "
                "not tell; take kg.source hpo, or leave it out"
            )
        if taken := {*beside, *together(beside)} & set(self.variants):
            raise ValueError(f"{where}: the variant {min(taken)} has a name of these; rename it")

    def _check_after(self, after: After, dataset: str) -> None:
        where = f"datasets.{dataset}.finetune.after"
        if after.dataset not in self.line(dataset)[1:2]:
            raise ValueError(f"{where}: {after.dataset} comes before it, so it is named here")
        for name in {*after.variants, *after.variants.values()}.difference(self.all_variants):
            raise ValueError(
                f"{where}.variants: {name!r} is unknown; known: {', '.join(self.all_variants)}"
            )


def load_config(values: Mapping[str, Any]) -> Config:
    """The configuration of a parsed YAML file.

    Raises InputError with one line a wrong key: which, what is wrong with it, what was given.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        lines = ["the configuration is wrong:", *error_lines(error)]
        if any(item["type"] == "missing" and len(item["loc"]) == 1 for item in error.errors()):
            lines.append(
                "(A file with changes alone goes behind config/published.yaml or config/demo.yaml: "
                "--configfile config/demo.yaml mine.yaml)"
            )
        raise InputError("\n".join(lines)) from error
