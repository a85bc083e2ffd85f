"""MEG, from a knowledge graph to answered questions. Start here: docs/reference/workflow.md."""

from pathlib import Path

from snakemake.utils import min_version

min_version("9.18")


if not workflow.config_settings.configfiles:

    configfile: Path(workflow.current_basedir) / "config/published.yaml"


# A counter, not a number of devices: it serialises GPU stages on one machine (profiles/default
# sets it to 1) and is ignored across Slurm submissions, so it never caps what a job asks for.
resource_scopes:
    gpu_slot="local",


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/kg.smk"
include: "workflow/rules/qa.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"


# Instead of a message Snakemake shows partition, GPUs and memory that a job asks for.
if "MEG_CLUSTER" in os.environ:
    for described in workflow.rules:
        described.message = None


rule all:
    default_target: True
    input:
        PAGES.targets(),


onsuccess:
    compared = PAGES.compared()
    if compared and all(map(os.path.exists, compared)):
        shell("python -m meg.summary {compared:q}", compared=compared)
        print("The report:", os.path.relpath("results/report.html", HOME))
