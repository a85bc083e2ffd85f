"""What all rules share: the plan of runs, names of files, threads and GPUs, digests of code."""

import json
import os
import re
import shlex
from pathlib import Path

from snakemake.exceptions import WorkflowError

from kg.errors import InputError
from workflow.config import load_config
from workflow.plan import Plan
from workflow.source_digest import source_digest

# Idle OpenMP threads must not spin, and freed memory must not go back to the system after every
# step: on a shared CPU this halves the time of training. A user's own values stay.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "4294967296")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4294967296")

try:
    PLAN = Plan(load_config(config))
except InputError as error:
    raise WorkflowError(str(error)) from None

CONFIG = PLAN.config
ROOT = Path(workflow.basedir)
GRAPH = f"results/kg/{CONFIG.kg.name}"
DEFAULT_CORES = 8
"""Cores for each GPU, and of a job on a cluster, where Snakemake is not told how many there are."""


wildcard_constraints:
    encoder="|".join(map(re.escape, CONFIG.encoders)) or "none",
    dataset="|".join(map(re.escape, CONFIG.datasets)),
    model="|".join(map(re.escape, CONFIG.models)),
    aligned="|".join(map(re.escape, PLAN.aligned)),
    finetuned="|".join(map(re.escape, PLAN.finetuned)),
    run="|".join(map(re.escape, PLAN.runs)),


def code(module):
    """Digest of the sources behind `python -m module`: edits re-run the stages they concern."""
    return source_digest(ROOT, module)


def section(value):
    """A section of the configuration as the JSON that a command takes."""
    return value.model_dump_json()


def folder(wildcards, output):
    """Where a command that is told a folder writes its outputs."""
    return Path(output[0]).parent


# Resources


def gpus(model):
    return CONFIG.models[model].gpus


def any_gpu():
    """For the graph's stages: 1 where some model uses GPUs."""
    return min(1, max(map(gpus, CONFIG.models)))


def all_cores(wildcards):
    """For stages whose batches fill them."""
    return workflow.cores or DEFAULT_CORES


def half_cores(wildcards):
    """For trainings on a CPU: their batches are small, and two side by side end sooner."""
    return max(1, all_cores(wildcards) // 2)


def cores(model):
    """Half of them for a model on the CPU, some for each GPU else."""
    devices = gpus(model)
    return (
        min(all_cores(None), DEFAULT_CORES * devices) if devices else half_cores(None)
    )


def memory(gigabytes):
    """Ask for more on every retry."""
    return lambda wildcards, attempt: f"{gigabytes * attempt} GB"


def launcher(model):
    """One process a GPU where there are several."""
    count = gpus(model)
    return (
        f"torchrun --standalone --nproc-per-node {count} -m"
        if count > 1
        else "python -m"
    )


# Names of files


def store(encoder):
    return f"{GRAPH}/{encoder}/embeddings.h5"


def base_folder(model):
    """Where the workflow makes a base LLM; None for one that is used as it is."""
    base = CONFIG.models[model].base
    made = base.startswith("random:") or base.endswith(".gguf")
    return f"results/base/{model}" if made else None


def align_folder(run):
    return f"results/align/{PLAN.aligned_by(run).align_name}"


def finetune_folder(run):
    return f"results/models/{PLAN.finetuned_by(run).name}"


def checkpoint_folder(run):
    """The model that answers in a run; None for the base LLM."""
    folders = {"finetune": finetune_folder, "align": align_folder}
    return folders[run.checkpoint](run) if run.checkpoint in folders else None


def predictions(run):
    return f"results/predictions/{run.name}.jsonl"


def used_encoders():
    """The encoders to be trained for the targets."""
    used = dict.fromkeys(run.encoder for run in PLAN.targets)
    return [name for name in used if name in CONFIG.encoders]


def targets():
    """What the configuration asks for: results, encoders in use, the report."""
    return [
        *(run.result for run in PLAN.targets),
        *(
            f"results/kge/{CONFIG.kg.name}_{encoder}.json"
            for encoder in used_encoders()
        ),
        "results/report.html",
    ]


# Inputs and options of the rules


def source_option():
    """Settings of the command that reads the graph, where it has some."""
    settings = CONFIG.kg.settings
    return f"--config {shlex.quote(section(settings))}" if settings else ""


def quiz_inputs(wildcards):
    """The graph, for the data set that is made from it."""
    if CONFIG.datasets[wildcards.dataset].questions.source != "hpoquiz":
        return {}
    return {
        "concepts": f"{GRAPH}/concepts.parquet",
        "triplets": f"{GRAPH}/triplets.parquet",
        "features": f"{GRAPH}/features.h5",
    }


def quiz_options(wildcards, input):
    return " ".join(f"--{name} {path}" for name, path in input.items())


def base_files(model):
    made = base_folder(model)
    return [f"{made}/config.json"] if made else []


def base_option(model):
    made = base_folder(model)
    return f"--base {made}" if made else ""


def finetune_inputs(wildcards):
    run = PLAN.finetuned[wildcards.finetuned]
    aligned = run.finetune.start == "align"
    return {
        "questions": f"results/grounded/{run.trained_on}/train.jsonl",
        "store": store(run.encoder),
        "base": base_files(run.model),
        "align": f"{align_folder(run)}/meg.json" if aligned else [],
    }


def align_option(wildcards, input):
    """Phase I, for a Phase II that starts from it."""
    return f"--align {Path(input.align).parent}" if input.align else ""


def predict_inputs(wildcards):
    run = PLAN.runs[wildcards.run]
    answering = checkpoint_folder(run)
    return {
        "questions": f"results/grounded/{run.dataset}/test.jsonl",
        "store": store(run.encoder),
        "base": base_files(run.model),
        "checkpoint": f"{answering}/meg.json" if answering else [],
    }


def answering_option(wildcards):
    """The trained model, or what the base LLM is: it has neither adapters nor mapper.

    Asks for no `input`: Snakemake does not compare params that are derived from it.
    """
    run = PLAN.runs[wildcards.run]
    folder = checkpoint_folder(run)
    if folder:
        return f"--checkpoint {folder}"
    return f"--model {shlex.quote(run.llm.model_dump_json(exclude={'lora', 'mapper'}))}"


def compared_files(wildcards):
    return list(map(predictions, PLAN.compared(PLAN.runs[wildcards.run]).values()))


def compare_options(wildcards):
    others = PLAN.compared(PLAN.runs[wildcards.run])
    return " ".join(
        f"--compare {name}={predictions(other)}" for name, other in others.items()
    )


def about_options(wildcards):
    """What a run is, in its result."""
    run = PLAN.runs[wildcards.run]
    names = ("dataset", "model", "variant", "encoder", "trained_on", "seed")
    return " ".join(f"--about {name}={getattr(run, name)}" for name in names)


def report_run(run):
    """A run with the files behind it, for the report page."""
    trained = run.checkpoint == "finetune"
    aligned = run.checkpoint == "align" or (trained and run.finetune.start == "align")
    variant = CONFIG.variants.get(run.variant)
    return {
        "dataset": run.dataset,
        "model": run.model,
        "variant": run.variant,
        "description": variant.description if variant else "",
        "result": run.result,
        "align": align_folder(run) if aligned else None,
        "finetune": finetune_folder(run) if trained else None,
    }
