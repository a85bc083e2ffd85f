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
from workflow.resources import OF_JOBS, JobResources, memory
from workflow.sections import TOGETHER
from workflow.source_digest import source_digest

for name, value in OF_JOBS.items():
    os.environ.setdefault(name, value)

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

ROOT = Path(workflow.current_basedir).parents[1]
PATHS = Paths(PLAN)
GRAPH = PATHS.graph
OPTIONS = Options(PATHS, ROOT)
PAGES = Pages(PATHS)
RESOURCES = JobResources(
    CONFIG,
    machine_cores=lambda: workflow.cores,
    # A dry run has an executor of its own; slurm/config.yaml says MEG_CLUSTER.
    on_cluster=workflow.non_local_exec
    or workflow.remote_exec
    or "MEG_CLUSTER" in os.environ,
    dry_run=lambda: workflow.dryrun,
)


wildcard_constraints:
    encoder="|".join(map(re.escape, CONFIG.encoders)) or "none",
    dataset="|".join(map(re.escape, CONFIG.datasets)),
    model="|".join(map(re.escape, CONFIG.models)),
    aligned="|".join(map(re.escape, PLAN.aligned)),
    finetuned="|".join(map(re.escape, PLAN.finetuned)),
    run="|".join(map(re.escape, PLAN.runs)),
    seeded="|".join(PLAN.repeated) or "none",
    page="|".join(PAGES.shown),


def code(module):
    """Digest of the sources behind `python -m module`: edits re-run the stages they concern."""
    return source_digest(ROOT, module)


def verbatim(value):
    """A param or an input as it is: braces in a plain one would be wildcards to Snakemake."""
    return lambda wildcards: value
