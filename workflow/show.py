"""The sections of a run, and for each value the layer that it comes from.

python -m workflow.show hpoquiz_smollm_options --configfile config/demo.yaml

A layer is a key of the configuration and the file that has it: what is not given is a default of
the code. Files are merged as Snakemake does; without `--configfile` those of the published runs.
"""

import argparse
from collections.abc import Iterator, Mapping
from functools import reduce
from pathlib import Path
from typing import Any

from kg.shared.command import Section
from kg.shared.errors import InputError
from workflow.config import Config, load_config
from workflow.configfiles import read_files
from workflow.layers import Layer, Values, merge
from workflow.plan import Plan, Run

__all__ = ["origins", "show"]

DEFAULT = "default"

SEED: Layer = ("", {})
"""The top of the configuration, whose `seed` holds for sections without one of their own, as its
`style` does."""

Leaf = tuple[str, Any, str]
"""A value's key in its section, the value, and its layer."""


def show(run_name: str, files: Mapping[str, Values]) -> str:
    """The table of a run. Raises InputError when the configuration has no such run."""
    config = load_config(reduce(merge, files.values(), {}))
    plan = Plan(config)
    if run_name not in plan.runs:
        raise InputError(
            f"{run_name}: no run of {', '.join(files)}; expected <dataset>_<model>[_<variant>]"
            f" of datasets: {', '.join(config.datasets)}; models: {', '.join(config.models)};"
            f" variants: {', '.join(config.variants)}"
        )
    blocks = []
    for title, leaves in origins(config, plan.runs[run_name], files).items():
        lines = [(f"  {key}: {_text(value)}", layer) for key, value, layer in leaves]
        width = max((len(line) for line, _ in lines), default=0)
        blocks.append("\n".join([title, *(f"{line:{width}}  {layer}" for line, layer in lines)]))
    return "\n\n".join(blocks)


def origins(config: Config, run: Run, files: Mapping[str, Values]) -> dict[str, list[Leaf]]:
    """The leaves of each section of a run."""
    where = run.dataset, run.model, run.variant
    phase_2 = run.trained_on, run.model, run.variant
    questions: list[Layer] = [SEED, (f"datasets.{run.dataset}.questions", {})]
    encoder: list[Layer] = [SEED, (f"encoders.{run.encoder}", {})]
    sections: dict[str, tuple[Section, list[Layer]]] = {
        "questions": (config.questions_of(run.dataset), questions),
        "model": (run.llm, config.model_layers(run.model, run.variant)),
        "align": (run.align, config.layers("align", None, run.model, run.variant)),
        "prompt": (run.prompt, config.layers("prompt", *where)),
        "finetune": (run.finetune, config.layers("finetune", *phase_2)),
        "predict": (run.predict, [SEED, *config.layers("predict", *where)]),
    }
    if run.encoder in config.encoders:
        sections = {"encoder": (config.encoder_settings(run.encoder), encoder), **sections}
    return {
        title: [
            (key, value, _layer(key, [place for place, _ in layers], files))
            for key, value in _leaves(section.model_dump(mode="json", exclude={"prompt"}))
        ]
        for title, (section, layers) in sections.items()
    }


def _layer(key: str, places: list[str], files: Mapping[str, Values]) -> str:
    """The last place that has the key, and the last file that has it there."""
    for place in reversed(places):
        path = ".".join((place, key)) if place else key.rpartition(".")[2]
        for file, values in reversed(list(files.items())):
            if _has(values, path.split(".")):
                return f"{path} ({file})"
    return DEFAULT


def _has(values: Any, path: list[str]) -> bool:
    for part in path:
        if not isinstance(values, Mapping) or part not in values:
            return False
        values = values[part]
    return True


def _leaves(values: Values, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict) and value:
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _text(value: Any) -> str:
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def main() -> None:
    """Print the table; what is wrong is said in one line, with status 2."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("run", help="<dataset>_<model>[_<variant>][_seed<seed>]")
    parser.add_argument("--configfile", nargs="+", type=Path, default=[], help="as of snakemake")
    arguments = parser.parse_args()
    try:
        print(show(arguments.run, read_files(arguments.configfile)))
    except InputError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
