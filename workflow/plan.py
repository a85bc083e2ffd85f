"""The runs a configuration asks for, and which of them share a trained model.

Runs differ in some stages only: permuted vectors are a matter of answering, another prompt one of
Phase II. Runs that agree on everything up to a stage share its output, which is named after the
first of them, the main one before the others. So nothing is trained twice, and no file name is
ever taken apart: names are looked up here.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import product

from kg.shared.errors import InputError
from meg.config import AlignConfig, FinetuneConfig, ModelConfig, PredictConfig, PromptConfig
from meg.prompts.wording import needs_store
from workflow.config import Config
from workflow.layers import seeded
from workflow.sections import MAIN, Target

__all__ = ["Plan", "Run"]


@dataclass(frozen=True)
class Run:
    """A data set answered by a model, in a variant, with the sections of its stages."""

    dataset: str
    model: str
    variant: str
    encoder: str
    seed: int
    checkpoint: str
    """Who answers: finetune, align or none (see `workflow.sections.Variant`)."""
    trained_on: str
    """The data set of Phase II."""
    llm: ModelConfig
    align: AlignConfig
    finetune: FinetuneConfig
    prompt: PromptConfig
    """How this data set's questions are put; those of Phase II have theirs in `finetune`."""
    predict: PredictConfig
    repeat: bool = False
    """Whether it repeats a run with another seed than the configuration's."""

    @property
    def name(self) -> str:
        """<dataset>_<model>[_<variant>][_seed<seed>]."""
        return _joined(self.dataset, self.model, self.variant, self._tag)

    @property
    def result(self) -> str:
        """File of its result."""
        folder = "results" if self.variant == MAIN else "results/ablations"
        return f"{'results/seeds/each' if self.repeat else folder}/{self.name}.json"

    @property
    def seeds_result(self) -> str:
        """File of the mean over its seeds."""
        return f"results/seeds/{self.name}.json"

    @property
    def align_name(self) -> str:
        """<model>[_<variant>][_seed<seed>]: Phase I knows no data set."""
        return _joined(self.model, self.variant, self._tag)

    @property
    def _tag(self) -> str:
        return f"seed{self.seed}" if self.repeat else MAIN

    @property
    def needs_store(self) -> bool:
        """Whether its answers take concept vectors: asked for, or expected by the model."""
        trained = self.checkpoint == "finetune" and self.trains_with_store
        return trained or self.checkpoint == "align" or needs_store(self.prompt)

    @property
    def trains_with_store(self) -> bool:
        """Whether its Phase II takes concept vectors; a text-only one is made without the graph."""
        return self.finetune.start == "align" or needs_store(self.finetune.prompt)

    @property
    def align_key(self) -> tuple[str, ...]:
        """Runs with equal keys have the same Phase I."""
        return (*self._start, self.align.model_dump_json())

    @property
    def finetune_key(self) -> tuple[str, ...]:
        """What a Phase II is, but for those that come before it."""
        start = self.align_key if self.finetune.start == "align" else self._start
        return (self.trained_on, self.finetune.model_dump_json(), *start)

    @property
    def _start(self) -> tuple[str, ...]:
        return self.model, self.encoder, str(self.seed), self.llm.model_dump_json()


class Plan:
    """All runs of a configuration.

    Attributes: `config`; `runs`, by name, repeats with other seeds last; `aligned` and `finetuned`,
    by the name of what they train, the runs that own a Phase I and a Phase II. Raises InputError
    when two runs would have one name.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        every = [
            _run(config, *where)
            for where in product(config.datasets, config.models, config.all_variants)
        ]
        every += list(_repeats(config, every))
        self.runs = _by_name((run.name, run) for run in every)
        self._seeds: dict[tuple[str, str, str], list[Run]] = {}
        self._align_owner: dict[tuple[str, ...], Run] = {}
        self._finetune_owner: dict[tuple[str, ...], Run] = {}
        for run in every:
            self._seeds.setdefault((run.dataset, run.model, run.variant), []).append(run)
            self._align_owner.setdefault(run.align_key, run)
        for run in every:
            if run.dataset == run.trained_on:
                self._finetune_owner.setdefault(self._trained(run), run)
        self.aligned = _by_name((run.align_name, run) for run in self._align_owner.values())
        self.finetuned = _by_name((run.name, run) for run in self._finetune_owner.values())

    @property
    def targets(self) -> list[Run]:
        """The runs that `all` makes."""
        return self.asked_for(self.config.targets)

    def asked_for(self, targets: Iterable[Target]) -> list[Run]:
        """The runs of some targets, each once, of the configuration's seed."""
        names = [
            _joined(target.dataset, target.model, variant)
            for target in targets
            for variant in (MAIN, *target.variants)
        ]
        return [self.runs[name] for name in dict.fromkeys(names)]

    def averaged(self, targets: Iterable[Target]) -> list[Run]:
        """Those of the runs that several seeds are asked of, but for the base LLM's."""
        runs = self.asked_for(target for target in targets if len(target.seeds) > 1)
        return [run for run in runs if len(self.seeds_of(run)) > 1]

    @property
    def repeated(self) -> list[str]:
        """Names of the runs that have several seeds."""
        return [run.name for run in self.runs.values() if len(self.seeds_of(run)) > 1]

    def seeds_of(self, run: Run) -> list[Run]:
        """The run of the configuration's seed, then its repeats with other seeds."""
        return self._seeds[run.dataset, run.model, run.variant]

    def aligned_by(self, run: Run) -> Run:
        """The run that owns the Phase I of `run`."""
        return self._align_owner[run.align_key]

    def finetuned_by(self, run: Run) -> Run:
        """The run that owns the Phase II of `run`."""
        return self._finetune_owner[self._trained(run)]

    def before(self, run: Run) -> Run | None:
        """The run that owns the Phase II which that of `run` starts from."""
        earlier = self._earlier(run)
        return None if earlier is None else self.finetuned_by(earlier)

    def _earlier(self, run: Run) -> Run | None:
        after = run.finetune.after
        if after is None:
            return None
        variant = after.variants.get(run.variant, run.variant)
        seeds = {one.seed: one for one in self._seeds[after.dataset, run.model, variant]}
        return seeds[run.seed]

    def _trained(self, run: Run) -> tuple[str, ...]:
        """Runs with equal keys have the same Phase II, and the same ones before it."""
        earlier = self._earlier(run)
        return (*run.finetune_key, *(self._trained(earlier) if earlier else ()))

    def compared(self, run: Run) -> dict[str, Run]:
        """The runs that the result of `run` is compared with, by their variant.

        They have its seed, but for the base LLM, which knows no seed.
        """
        compared = {}
        for variant in self.config.comparisons.get(run.variant, []):
            seeds = {one.seed: one for one in self._seeds[run.dataset, run.model, variant]}
            compared[variant] = seeds.get(run.seed) or seeds[self.config.seed]
        return compared


def _run(config: Config, dataset: str, model: str, variant: str) -> Run:
    trained_on = config.datasets[dataset].trained_on or dataset
    return Run(
        dataset=dataset,
        model=model,
        variant=variant,
        encoder=config.encoder_of(variant),
        seed=config.seed,
        checkpoint=config.checkpoint_of(variant),
        trained_on=trained_on,
        llm=config.model_of(model, variant),
        align=config.align_of(model, variant),
        finetune=config.finetune_of(trained_on, model, variant),
        prompt=config.prompt_of(dataset, model, variant),
        predict=seeded(config.predict_of(dataset, model, variant), config.seed),
    )


def _repeats(config: Config, runs: list[Run]) -> Iterator[Run]:
    """Every variant of the targets with several seeds, once more for each other seed."""
    wanted: dict[tuple[str, str], set[int]] = {}
    for target in (*config.targets, *config.ablations):
        trained_on = config.datasets[target.dataset].trained_on or target.dataset
        for dataset in (target.dataset, *config.line(trained_on)):
            wanted.setdefault((dataset, target.model), set()).update(target.seeds[1:])
    for run in runs:
        if run.checkpoint != "none":
            for seed in sorted(wanted.get((run.dataset, run.model), ())):
                predict = config.predict_of(run.dataset, run.model, run.variant)
                yield replace(run, seed=seed, predict=seeded(predict, seed), repeat=True)


def _joined(*parts: str) -> str:
    return "_".join(part for part in parts if part != MAIN)


def _by_name(runs: Iterable[tuple[str, Run]]) -> dict[str, Run]:
    named: dict[str, Run] = {}
    for name, run in runs:
        if name in named:
            pair = [f"{one.dataset}, {one.model}, {one.variant}" for one in (named[name], run)]
            raise InputError(f"two runs have the name {name}: ({pair[0]}) and ({pair[1]}); rename")
        named[name] = run
    return named
