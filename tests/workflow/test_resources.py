"""Threads, memory and GPUs of jobs."""

from types import SimpleNamespace

import pytest

from tests.workflow.test_config import changed
from workflow.config import load_config
from workflow.resources import JOB_CORES, JobResources, memory


def resources(on_cluster: bool = False, dry_run: bool = False, **model: int) -> JobResources:
    config = load_config(changed({"models": {"tiny": {"gpus": 0} | model}}))
    return JobResources(config, lambda: 6, on_cluster, lambda: dry_run)


class TestCores:
    @pytest.mark.parametrize(("devices", "expected"), [(0, 3), (1, JOB_CORES), (4, 4 * JOB_CORES)])
    def test_some_for_each_gpu_else_half(self, devices: int, expected: int) -> None:
        assert resources().cores(devices) == expected

    def test_cluster_has_no_number_of_cores(self) -> None:
        assert resources().all_cores() == 6
        assert resources(on_cluster=True).all_cores() == JOB_CORES


class TestMemory:
    @pytest.mark.parametrize(
        ("devices", "attempt", "expected"), [(0, 1, "32 GB"), (4, 1, "128 GB"), (1, 3, "64 GB")]
    )
    def test_for_each_process_and_twice_on_retries(
        self, devices: int, attempt: int, expected: str
    ) -> None:
        assert memory(32, lambda w: devices)(SimpleNamespace(), attempt) == expected


class TestGPUs:
    def test_look_up_encoders_and_networks_train_on_several(self) -> None:
        config = load_config(
            changed({"kg": {"gpus": 4}, "encoders": {"text": {"encoder": "text"}}})
        )
        made = JobResources(config, lambda: 6, False, False)
        assert [made.encoder_gpus(name) for name in ("sage", "text")] == [4, 1]

    def test_graph_uses_one_where_a_model_does(self) -> None:
        assert [resources(gpus=count).any_gpu() for count in (0, 4)] == [0, 1]


class TestLauncher:
    def test_one_process(self) -> None:
        assert resources().launcher(1, 1, 8) == "python -m"

    def test_several_of_one_machine(self) -> None:
        assert resources(gpus=4).model_launcher("tiny", 8) == (
            "torchrun --standalone --nproc-per-node 4 -m"
        )

    @pytest.mark.parametrize(("dry_run", "cores"), [(False, 6), (True, 4 * JOB_CORES)])
    def test_several_machines(self, dry_run: bool, cores: int) -> None:
        command = resources(dry_run=dry_run, gpus=4, nodes=2).model_launcher("tiny", 6)
        assert command.startswith(f"srun --nodes 2 --ntasks-per-node 1 --cpus-per-task {cores} ")

    def test_one_machine_asks_for_gpus_and_several_for_nodes(self) -> None:
        one, two = (resources(gpus=4, nodes=n).training(lambda w: "tiny") for n in (1, 2))
        names = ("gpu", "gres", "nodes", "mpi")
        assert [one[name](None) for name in names] == [4, None, None, None]
        assert [two[name](None) for name in names] == [0, "gpu:4", 2, "srun"]
