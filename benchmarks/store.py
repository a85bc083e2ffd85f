"""The embedding store beside other layouts: writing, loading whole, looking up 20 concepts.

    python -m benchmarks.store --rows 300000

Prints a Markdown table of CPU seconds and file sizes; every file is in the page cache, so that the
figures are those of the layout and not of the disk. What takes less than a second is done five
times, the best counts.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import h5py
import numpy as np
import polars as pl
from safetensors import safe_open
from safetensors.numpy import load_file, save_file

from kg.store import EmbeddingStore, write_store
from kg.store.published import read_published

__all__ = ["LAYOUTS"]

LOOKED_UP = 20


def _store(folder: Path, cuis: list[str], vectors: np.ndarray) -> dict[str, Callable]:
    path = folder / "embeddings.h5"
    return {
        "write": lambda: write_store(path, pl.Series(cuis), vectors, {}, {}),
        "load": lambda: np.array(EmbeddingStore(path).embedding),
        "look up": lambda some: EmbeddingStore(path).get(some),
    }


def _published(folder: Path, cuis: list[str], vectors: np.ndarray) -> dict[str, Callable]:
    path = folder / "word2embed.h5"

    def write() -> None:
        with h5py.File(path, "w") as file:
            for cui, vector in zip(cuis, vectors.astype(np.float32), strict=True):
                file[cui] = vector

    def look_up(some: list[str]) -> list[np.ndarray]:
        with h5py.File(path) as file:
            return [file[cui][:] for cui in some]

    return {"write": write, "load": lambda: read_published(path), "look up": look_up}


def _npy(folder: Path, cuis: list[str], vectors: np.ndarray) -> dict[str, Callable]:
    path, row = folder / "vectors.npy", {cui: i for i, cui in enumerate(cuis)}
    return {
        "write": lambda: np.save(path, vectors),
        "load": lambda: np.load(path),
        "look up": lambda some: np.load(path, mmap_mode="r")[[row[cui] for cui in some]],
    }


def _safetensors(folder: Path, cuis: list[str], vectors: np.ndarray) -> dict[str, Callable]:
    path, row = folder / "vectors.safetensors", {cui: i for i, cui in enumerate(cuis)}

    def look_up(some: list[str]) -> list[np.ndarray]:
        with safe_open(path, "numpy") as file:
            part = file.get_slice("embedding")
            return [part[row[cui] : row[cui] + 1] for cui in some]

    return {
        "write": lambda: save_file({"embedding": vectors}, path),
        "load": lambda: load_file(path),
        "look up": look_up,
    }


LAYOUTS = {
    "kg.store (cui + matrix, HDF5)": _store,
    "published (a float32 data set a concept)": _published,
    "npy (without the cuis)": _npy,
    "safetensors (without the cuis)": _safetensors,
}


def main() -> None:
    """Measure every layout and print the table."""
    parser = argparse.ArgumentParser(description="time layouts of embedding files")
    parser.add_argument("--rows", type=int, default=300_000)
    parser.add_argument("--dim", type=int, default=256)
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    cuis = [f"C{number:07}" for number in range(arguments.rows)]
    vectors = rng.normal(size=(arguments.rows, arguments.dim)).astype(np.float16)
    some = [cuis[row] for row in rng.integers(0, arguments.rows, LOOKED_UP)]
    sys.stdout.write(
        "| layout | write, s | load, s | look up 20, ms | file, MB |\n|---|---|---|---|---|\n"
    )
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            actions = layout(Path(folder), cuis, vectors)
            write = _seconds(actions["write"])
            size = max(path.stat().st_size for path in Path(folder).iterdir()) / 1e6
            load = _seconds(actions["load"])
            if load < 1:
                load = min(_seconds(actions["load"]) for _ in range(5))
            look_up = min(_seconds(partial(actions["look up"], some)) for _ in range(5)) * 1e3
        sys.stdout.write(f"| {name} | {write:.2f} | {load:.3f} | {look_up:.2f} | {size:.0f} |\n")
        sys.stdout.flush()


def _seconds(action: Callable[[], object]) -> float:
    start = time.process_time()
    action()
    return time.process_time() - start


if __name__ == "__main__":
    main()
