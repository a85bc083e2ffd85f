"""What all rules share: the plan of runs, and what the modules of `workflow` make of it."""

import json
import os
import re
from pathlib import Path

from snakemake.exceptions import WorkflowError

from kg.shared.errors import InputError
from workflow.config import load_config
from workflow.configfiles import over_base
from workflow.external import graph_files, inputs, model_files, question_files, stamps
from workflow.options import Options, folder, input_options
from workflow.owner import at_home, check_owner
from workflow.pages import Pages
from workflow.paths import Paths
from workflow.plan import Plan
from workflow.resources import JobResources, memory
from workflow.sections import TOGETHER
from workflow.source_digest import source_digest

# Idle OpenMP threads must not spin, and freed memory must not go back to the system after every
# step: on a shared CPU this halves the time of training. A user's own values stay.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("MALLOC_MMAP_THRESHOLD_", "4294967296")
os.environ.setdefault("MALLOC_TRIM_THRESHOLD_", "4294967296")

# Jobs in processes of their own read this file again, from the configuration's directory.
HOME = Path(os.environ.setdefault("MEG_HOME", str(Path.cwd())))

try:
    PLAN = Plan(load_config(at_home(over_base(config), HOME)))
except InputError as error:
    raise WorkflowError(str(error)) from None

CONFIG = PLAN.config

if CONFIG.directory:

    workdir: HOME / CONFIG.directory


try:
    check_owner(Path("results/kg"), CONFIG.kg.name)
except InputError as error:
    raise WorkflowError(str(error)) from None

PROFILE_OF_CLUSTER = "MEG_CLUSTER" in os.environ
"""Whether slurm/config.yaml was read, in a dry run too, which has an executor of its own."""

ROOT = Path(workflow.current_basedir).parents[1]
PATHS = Paths(PLAN)
GRAPH = PATHS.graph
OPTIONS = Options(PATHS, ROOT)
PAGES = Pages(PATHS)
RESOURCES = JobResources(
    CONFIG,
    machine_cores=lambda: workflow.cores,
    on_cluster=workflow.non_local_exec or workflow.remote_exec or PROFILE_OF_CLUSTER,
    dry_run=lambda: workflow.dryrun,
)


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
    page="|".join(PAGES.shown),


def code(module):
    """Digest of the sources behind `python -m module`: edits re-run the stages they concern."""
    return source_digest(ROOT, module)


def verbatim(value):
    """A param or an input as it is: braces in a plain one would be wildcards to Snakemake."""
    return lambda wildcards: value
