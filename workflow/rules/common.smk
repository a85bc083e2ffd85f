"""What all rules share: the plan of runs, names of files, threads and GPUs, digests of code."""

import json
import os
import re
import shlex
from itertools import chain
from pathlib import Path

from snakemake.exceptions import WorkflowError

from kg.config import TrainedConfig
from kg.shared.errors import InputError
from meg.config import HPOQuizConfig
from workflow.config import load_config
from workflow.configfiles import over_base
from workflow.external import (
    graph_files,
    inputs,
    model_files,
    question_files,
    settings_files,
    stamps,
)
from workflow.owner import check_owner
from workflow.plan import Plan
from workflow.source_digest import source_digest

# Idle OpenMP threads must not spin, and freed memory must not go back to the system after every
# step: on a shared CPU this halves the time of training. A user's own values stay.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "4294967296")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4294967296")

try:
    PLAN = Plan(load_config(over_base(config)))
    check_owner(Path("results/kg"), PLAN.config.kg.name)
except InputError as error:
    raise WorkflowError(str(error)) from None

CONFIG = PLAN.config
ROOT = Path(workflow.current_basedir).parents[1]
GRAPH = f"results/kg/{CONFIG.kg.name}"
PAGES = {"report": CONFIG.targets, "ablations": CONFIG.ablations}
"""Page of results -> what it shows."""

JOB_CORES = 8
"""Cores for each GPU, and for a job on a cluster."""

PROFILE_OF_CLUSTER = "MEG_CLUSTER" in os.environ
"""Whether slurm/config.yaml was read, in a dry run too, which has an executor of its own."""


wildcard_constraints:
    encoder="|".join(map(re.escape, CONFIG.encoders)) or "none",
    dataset="|".join(map(re.escape, CONFIG.datasets)),
    model="|".join(map(re.escape, CONFIG.models)),
    aligned="|".join(map(re.escape, PLAN.aligned)),
    finetuned="|".join(map(re.escape, PLAN.finetuned)),
    run="|".join(map(re.escape, PLAN.runs)),
    seeded="|".join(
        run.name for run in PLAN.runs.values() if len(PLAN.seeds_of(run)) > 1
    )
    or "none",
    page="|".join(PAGES),


def code(module):
    """Digest of the sources behind `python -m module`: edits re-run the stages they concern."""
    return source_digest(ROOT, module)


def section(value):
    """A section of the configuration as the JSON that a command takes.

    DeepSpeed's settings that are not in the working directory (--directory) are the project's own.
    """
    training = getattr(value, "training", None)
    for path in settings_files(training, ROOT) if training else ():
        training = training.model_copy(update={"deepspeed": str(path)})
        value = value.model_copy(update={"training": training})
    return value.model_dump_json()


def verbatim(value):
    """A param or an input as it is: braces in a plain one would be wildcards to Snakemake."""
    return lambda wildcards: value


def folder(wildcards, output):
    """Where a command that is told a folder writes its outputs."""
    return Path(output[0]).parent


# Resources


def gpus(model):
    return CONFIG.models[model].gpus


def nodes(model):
    return CONFIG.models[model].nodes


def any_gpu():
    """For the graph's stages: 1 where some model uses GPUs."""
    return min(1, max(map(gpus, CONFIG.models)))


def encoder_gpus(encoder):
    """Those of an encoder that is trained by gradients can be several."""
    count = any_gpu() if CONFIG.kg.gpus is None else CONFIG.kg.gpus
    trained = isinstance(CONFIG.encoders[encoder], TrainedConfig)
    return count if trained else min(1, count)


def all_cores(wildcards):
    """For stages whose batches fill them: of this machine, or of a job.

    A cluster has no number of cores (`workflow.cores` raises), and inside a job, where the threads
    are worked out once more, it is that of the node.
    """
    on_cluster = workflow.non_local_exec or workflow.remote_exec or PROFILE_OF_CLUSTER
    return JOB_CORES if on_cluster else workflow.cores


def half_cores(wildcards):
    """For trainings on a CPU: their batches are small, and two side by side end sooner."""
    return max(1, all_cores(wildcards) // 2)


def cores(devices):
    """Some for each GPU; without one half of them."""
    return JOB_CORES * devices or half_cores(None)


def memory(gigabytes, devices=lambda wildcards: 1):
    """For each GPU's process; twice as much on retries."""
    return (
        lambda wildcards, attempt: f"{gigabytes * max(1, devices(wildcards)) * min(attempt, 2)} GB"
    )


def training(model_of):
    """Resources of a training: GPUs of one machine, or those of several with a task on each.

    Several are asked for as Snakemake's plugin for Slurm wants it of an MPI job, whose command
    starts its processes by srun itself. What is None is not asked for.
    """

    def several(value):
        return lambda w: value(model_of(w)) if nodes(model_of(w)) > 1 else None

    return {
        "mem": memory(32, lambda w: gpus(model_of(w))),
        "runtime": "24h",
        "gpu": lambda w: gpus(model_of(w)) if nodes(model_of(w)) == 1 else 0,
        "gpu_slot": lambda w: min(1, gpus(model_of(w))),
        "gres": several(lambda model: f"gpu:{gpus(model)}"),
        "nodes": several(nodes),
        "tasks": several(nodes),
        "tasks_per_gpu": several(lambda model: 0),
        "mpi": several(lambda model: "srun"),
    }


def launcher(count, machines, threads):
    """One process a GPU where there are several, started by a torchrun on each node."""
    if machines > 1:
        # A dry run cuts threads down to the cores of this machine.
        tasks = JOB_CORES * count if workflow.dryrun else threads
        return (
            f"srun --nodes {machines} --ntasks-per-node 1 --cpus-per-task {tasks}"
            f" --gres gpu:{count} --kill-on-bad-exit=1"
            f" torchrun --nnodes {machines} --nproc-per-node {count} --rdzv-backend c10d"
            " --rdzv-id $SLURM_JOB_ID"
            " --rdzv-endpoint $(hostname):$((20000 + SLURM_JOB_ID % 20000)) -m"
        )
    return (
        f"torchrun --standalone --nproc-per-node {count} -m"
        if count > 1
        else "python -m"
    )


def model_launcher(model, threads):
    return launcher(gpus(model), nodes(model), threads)


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


def grounded(run):
    return f"results/grounded/{run.dataset}/test.jsonl"


def predictions(run):
    return f"results/predictions/{run.name}.jsonl"


def used_encoders(runs):
    """The encoders to be trained for these runs."""
    used = dict.fromkeys(run.encoder for run in runs)
    return [name for name in used if name in CONFIG.encoders]


def page_results(page):
    """The JSON files behind a page: results, their means over seeds, measures of encoders."""
    runs = PLAN.asked_for(PAGES[page])
    return [
        *(run.result for run in runs),
        *(run.seeds_result for run in PLAN.averaged(PAGES[page])),
        *(
            f"results/kge/{CONFIG.kg.name}_{encoder}.json"
            for encoder in used_encoders(runs)
        ),
    ]


def targets():
    """What the configuration asks for."""
    return [*page_results("report"), "results/report.html"]


def ablations(wildcards):
    """What its list of ablations asks for."""
    if not CONFIG.ablations:
        raise WorkflowError(
            "the configuration lists no ablations: fill its key ablations, or name"
            " config/ablations.yaml behind the configuration file"
        )
    return [*page_results("ablations"), "results/ablations.html"]


# Inputs and options of the rules


def source_option():
    """Settings of the command that reads the graph, where it has some."""
    settings = CONFIG.kg.settings
    return f"--config {shlex.quote(section(settings))}" if settings else ""


def folder_option():
    """Folder of the source's files; "~" in it is the user's own."""
    if CONFIG.kg.folder is None:
        return ""
    return f"--folder {shlex.quote(str(Path(CONFIG.kg.folder).expanduser()))}"


def question_inputs(wildcards):
    """A data set's files; the graph, for the one that is made from it."""
    questions = CONFIG.datasets[wildcards.dataset].questions
    if not isinstance(questions, HPOQuizConfig):
        return {"files": inputs(question_files(questions))}
    if CONFIG.kg.source != "hpo":
        raise WorkflowError(
            f"datasets.{wildcards.dataset}: a quiz of the source hpoquiz is made from the Human"
            f" Phenotype Ontology, and kg.source is {CONFIG.kg.source}; take kg.source hpo"
            " (config/demo.yaml), or a data set of another source"
        )
    return {
        "concepts": f"{GRAPH}/concepts.parquet",
        "triplets": f"{GRAPH}/triplets.parquet",
        "features": f"{GRAPH}/features.h5",
    }


def learned_files():
    """What `kg.link fit` makes of a corpus, by the option that `kg.link build` takes it by."""
    if CONFIG.link.corpus is None:
        return {}
    accept = {"accept": f"{GRAPH}/accept.npz"} if CONFIG.link.accept else {}
    return {"priors": f"{GRAPH}/priors.parquet", **accept}


def input_options(wildcards, input):
    """The named inputs, but for the files that the configuration names, as a command's options."""
    named = {name: path for name, path in input.items() if name != "files"}
    return " ".join(f"--{name} {shlex.quote(path)}" for name, path in named.items())


def accept_option(wildcards, output):
    return f"--accept {output.accept}" if CONFIG.link.accept else ""


def base_files(model):
    made = base_folder(model)
    return [f"{made}/config.json"] if made else []


def llm_files(run, *sections):
    """A base LLM's files where it is a folder or a file, DeepSpeed's settings of the sections."""
    settings = (settings_files(one.training, ROOT) for one in sections)
    return [*model_files(CONFIG.models[run.model].base), *chain.from_iterable(settings)]


def base_option(model):
    made = base_folder(model)
    return f"--base {made}" if made else ""


def questions(dataset, split, prompt):
    """Grounded questions, with what the graph says of their concepts where the prompt uses it."""
    stage = "neighbours" if prompt.parents or prompt.triplets else "grounded"
    return f"results/{stage}/{dataset}/{split}.jsonl"


def store_option(wildcards, input):
    return f"--store {input.store}" if input.store else ""


def parents_option(wildcards, input):
    return f"--parents {input.parents}" if input.parents else ""


def finetune_inputs(wildcards):
    run = PLAN.finetuned[wildcards.finetuned]
    aligned = run.finetune.start == "align"
    prompt = run.finetune.prompt
    return {
        "questions": questions(run.trained_on, "train", prompt),
        "dev": (
            questions(run.trained_on, "dev", prompt) if prompt.answer == "yesno" else []
        ),
        "store": store(run.encoder) if run.trains_with_store else [],
        "base": base_files(run.model),
        "files": inputs(llm_files(run, run.finetune)),
        "align": f"{align_folder(run)}/meg.json" if aligned else [],
    }


def dev_option(wildcards, input):
    """Questions that the score of one option is calibrated on."""
    return f"--dev {input.dev}" if input.dev else ""


def align_option(wildcards, input):
    """Phase I, for a Phase II that starts from it."""
    return f"--align {Path(input.align).parent}" if input.align else ""


def predict_inputs(wildcards):
    run = PLAN.runs[wildcards.run]
    answering = checkpoint_folder(run)
    return {
        "questions": questions(run.dataset, "test", run.prompt),
        "store": store(run.encoder) if run.needs_store else [],
        "base": base_files(run.model),
        "files": inputs(llm_files(run)),
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
        f"--against {name}={predictions(other)}" for name, other in others.items()
    )


def about_options(wildcards):
    """What a run is, in its result."""
    run = PLAN.runs[wildcards.run]
    names = ("dataset", "model", "variant", "encoder", "trained_on", "seed")
    return " ".join(f"--about {name}={getattr(run, name)}" for name in names)


def spaces(page):
    """Phases I whose space a page draws: those of the main runs, by name."""
    runs = [run for run in PLAN.asked_for(PAGES[page]) if run.variant == "main"]
    names = {
        PLAN.aligned_by(run).align_name
        for run in runs
        if report_run(run, page)["align"]
    }
    return {name: f"results/space/{name}.json" for name in sorted(names)}


def question_summaries(page):
    """What meg.questions says of the data sets of a page, by name."""
    names = dict.fromkeys(run.dataset for run in PLAN.asked_for(PAGES[page]))
    return {name: f"results/questions/{name}/summary.json" for name in names}


def report_run(run, page):
    """A run with the files behind it, for the report page."""
    trained = run.checkpoint == "finetune"
    aligned = run.checkpoint == "align" or (trained and run.finetune.start == "align")
    variant = CONFIG.variants.get(run.variant)
    where = (run.dataset, run.model, run.variant)
    return {
        "dataset": run.dataset,
        "model": run.model,
        "variant": run.variant,
        "description": variant.description if variant else "",
        "encoder": (
            run.encoder if variant is None or variant.only_the_encoder else None
        ),
        "result": run.result,
        "seeds": run.seeds_result if run in PLAN.averaged(PAGES[page]) else None,
        "published": [
            {"accuracy": one.accuracy, "source": one.source}
            for one in CONFIG.published
            if (one.dataset, one.model, one.variant) == where
        ],
        "predictions": predictions(run),
        "questions": grounded(run),
        "align": align_folder(run) if aligned else None,
        "finetune": finetune_folder(run) if trained else None,
    }
