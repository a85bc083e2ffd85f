"""Threads, memory and GPUs of the rules, and how several processes are started."""

from collections.abc import Callable
from typing import Any

from kg.config import TrainedConfig
from workflow.config import Config

__all__ = ["JOB_CORES", "OF_JOBS", "JobResources", "memory"]

JOB_CORES = 8
"""Cores for each GPU, and for a job on a cluster."""

OF_JOBS = {
    "OMP_WAIT_POLICY": "PASSIVE",
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}
"""Environment of every job, where a user has no values of their own.

Idle OpenMP threads must not spin, and freed memory must not go back to the system after every step:
on a shared CPU this halves the time of training.
"""

OfJob = Callable[[Any], Any]
"""A resource, worked out from a job's wildcards."""


def memory(gigabytes: int, devices: OfJob = lambda wildcards: 1) -> Callable[[Any, int], str]:
    """For each GPU's process; twice as much on retries."""
    return lambda wildcards, attempt: (
        f"{gigabytes * max(1, devices(wildcards)) * min(attempt, 2)} GB"
    )


class JobResources:
    """What the jobs of a configuration ask for.

    `machine_cores` is asked where the jobs run on this machine alone: a cluster has no number of
    cores, and inside a job, where threads are worked out once more, it is that of the node. A dry
    run, which is known when a rule is worked out, cuts threads down to the cores of this machine.
    """

    def __init__(
        self,
        config: Config,
        machine_cores: Callable[[], int],
        on_cluster: bool,
        dry_run: Callable[[], bool],
    ) -> None:
        self._config = config
        self._machine_cores = machine_cores
        self._on_cluster = on_cluster
        self._dry_run = dry_run

    def gpus(self, model: str) -> int:
        """Of each node."""
        return self._config.models[model].gpus

    def nodes(self, model: str) -> int:
        """Machines of a training."""
        return self._config.models[model].nodes

    def any_gpu(self) -> int:
        """For the graph's stages: 1 where some model uses GPUs."""
        return min(1, max(map(self.gpus, self._config.models)))

    def encoder_gpus(self, encoder: str) -> int:
        """Those of an encoder that is trained by gradients can be several."""
        configured = self._config.kg.gpus
        count = self.any_gpu() if configured is None else configured
        trained = isinstance(self._config.encoders[encoder], TrainedConfig)
        return count if trained else min(1, count)

    def all_cores(self, wildcards: Any = None) -> int:
        """For stages whose batches fill them: of this machine, or of a job."""
        return JOB_CORES if self._on_cluster else self._machine_cores()

    def cores(self, devices: int) -> int:
        """Some for each GPU; without one half of all.

        Batches of trainings on a CPU are small, and two trainings side by side end sooner.
        """
        return JOB_CORES * devices or max(1, self.all_cores() // 2)

    def training(self, model_of: Callable[[Any], str]) -> dict[str, Any]:
        """Resources of a training: GPUs of one machine, or those of several with a task on each.

        Several are asked for as Snakemake's plugin for Slurm wants it of an MPI job, whose command
        starts its processes by srun itself. What is None is not asked for.
        """

        def several(value: Callable[[str], Any]) -> OfJob:
            return lambda w: value(model_of(w)) if self.nodes(model_of(w)) > 1 else None

        return {
            "mem": memory(32, lambda w: self.gpus(model_of(w))),
            "runtime": "24h",
            "gpu": lambda w: self.gpus(model_of(w)) if self.nodes(model_of(w)) == 1 else 0,
            "gpu_slot": lambda w: min(1, self.gpus(model_of(w))),
            "gres": several(lambda model: f"gpu:{self.gpus(model)}"),
            "nodes": several(self.nodes),
            "tasks": several(self.nodes),
            "tasks_per_gpu": several(lambda model: 0),
            "mpi": several(lambda model: "srun"),
        }

    def launcher(self, count: int, machines: int, threads: int) -> str:
        """One process a GPU where there are several, started by a torchrun on each node."""
        if machines > 1:
            tasks = JOB_CORES * count if self._dry_run() else threads
            return (
                f"srun --nodes {machines} --ntasks-per-node 1 --cpus-per-task {tasks}"
                f" --gres gpu:{count} --kill-on-bad-exit=1"
                f" torchrun --nnodes {machines} --nproc-per-node {count} --rdzv-backend c10d"
                " --rdzv-id $SLURM_JOB_ID"
                " --rdzv-endpoint $(hostname):$((20000 + SLURM_JOB_ID % 20000)) -m"
            )
        several = f"torchrun --standalone --nproc-per-node {count} -m"
        return several if count > 1 else "python -m"

    def model_launcher(self, model: str, threads: int) -> str:
        """That of a model's trainings."""
        return self.launcher(self.gpus(model), self.nodes(model), threads)
