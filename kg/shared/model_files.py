"""A model's files: where they are, whether they are whole, and what weights they hold.

A model is named by a hub id, a path, or the data of an installed Python package.
"""

import hashlib
import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from safetensors import safe_open
from torch import Tensor

from kg.shared.artefact import file_digest, read_json
from kg.shared.damage import check_file
from kg.shared.errors import InputError

__all__ = [
    "check_files",
    "folder_of",
    "locate",
    "own_code_refused",
    "read_tensors",
    "weights_digest",
]

PREFIX = "package:"


def locate(name: str) -> str:
    """`package:<python package>/<path in it>` as a path; any other name unchanged.

    The package is found without importing it. Raises InputError when it is not installed or
    lacks the path.
    """
    if not name.startswith(PREFIX):
        return name
    package, _, inside = name.removeprefix(PREFIX).partition("/")
    spec = importlib.util.find_spec(package) if package.isidentifier() else None
    if spec is None or not spec.submodule_search_locations:
        raise InputError(
            f"{name}: the Python package {package!r} is not installed; "
            f"`pip install {package.replace('_', '-')}`, or name a folder or a hub id"
        )
    path = Path(spec.submodule_search_locations[0]) / inside
    if not path.exists():
        raise InputError(f"{name}: the package {package!r} has no {inside!r} ({path})")
    return str(path)


@contextmanager
def own_code_refused(name: str) -> Iterator[None]:
    """Say what to do with a model that brings Python code of its own, which is never run."""
    try:
        yield
    except ValueError as error:
        if "trust_remote_code" not in str(error):
            raise
        raise InputError(
            f"{name} brings Python code of its own, which is not run here; take a model of an "
            "architecture that transformers has, or a release of this one in such a form "
            "(docs/how-to/another-llm.md)"
        ) from error


def folder_of(name: str, revision: str | None = None) -> Path:
    """The folder with the files of a model that was loaded by `name`, a path or a hub id."""
    if Path(name).is_dir():
        return Path(name)
    return Path(snapshot_download(name, revision=revision, local_files_only=True))


def check_files(folder: Path, next_step: str) -> None:
    """`check_file` for each file of a model's folder that transformers may read."""
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".bin", ".json", ".model") and path.is_file():
            check_file(path, next_step)


def read_tensors(path: Path, next_step: str) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Tensors by name, and the notes, of a .safetensors file; as `check_file` for one not whole."""
    check_file(path, next_step)
    with safe_open(path, "pt") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata() or {}  # noqa: SIM118


def weights_digest(folder: Path) -> str:
    """SHA-256 of all weights in a transformers folder: names, types, shapes and values.

    The same however many .safetensors files they lie in.
    """
    single, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if single.is_file():
        files = [single]
    elif index.is_file():
        files = [folder / name for name in sorted(set(read_json(index)["weight_map"].values()))]
    else:
        pickled = sorted(folder.glob("pytorch_model*.bin"))
        return hashlib.sha256("".join(map(file_digest, pickled)).encode()).hexdigest()
    digests = []
    for path in files:
        with safe_open(path, "pt") as file:
            digests += [_digest(name, file.get_tensor(name)) for name in file.keys()]  # noqa: SIM118
    return hashlib.sha256("".join(sorted(digests)).encode()).hexdigest()


def _digest(name: str, tensor: Tensor) -> str:
    digest = hashlib.sha256(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
    # As bytes: NumPy has no bfloat16.
    digest.update(tensor.reshape(-1).view(torch.uint8).numpy().data)
    return digest.hexdigest()
