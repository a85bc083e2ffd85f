"""The published embedding files (`word2embed_*.h5`): one HDF5 data set a concept.

A data set's name is the concept's with "/" written as "___" and " " as "__"; vectors are float16
once loaded. RDF2Vec's file has them two groups deep. Reading 300,000 small data sets takes half a
minute: `kg.store` keeps one matrix instead.
"""

from pathlib import Path

import h5py
import numpy as np
from tqdm import tqdm

from kg.shared.artefact import replacing
from kg.shared.errors import InputError
from kg.shared.hdf5 import open_hdf5
from kg.store.vectors import EmbeddingStore

__all__ = ["read_published", "write_published"]


def read_published(path: Path) -> tuple[list[str], np.ndarray]:
    """Names in ascending order (of their UTF-8 bytes) and their vectors, (n, dim) float16."""
    with open_hdf5(path, "r", "download it again") as file:
        keys = _data_sets(file)
        names = {_decode(key.rpartition("/")[2]): key for key in keys}
        if not keys or len(names) < len(keys):
            raise InputError(f"{path} has {len(keys)} data sets of {len(names)} different names")
        ordered = sorted(names, key=str.encode)
        shape = file[names[ordered[0]]].shape
        vectors = np.empty((len(ordered), *shape), dtype=np.float16)
        for row, name in enumerate(tqdm(ordered, desc=path.name, disable=None)):
            vector = file[names[name]]
            if vector.shape != shape or len(shape) != 1:
                raise InputError(
                    f"{path}: {name} has the shape {vector.shape}, {ordered[0]} has {shape}; "
                    "expected vectors of one length"
                )
            vectors[row] = vector[:]
    return ordered, vectors


def write_published(path: Path, store: EmbeddingStore) -> None:
    """Write a store in the published layout, float16."""
    with replacing(path) as temporary, open_hdf5(temporary, "w", "") as file:
        for cui, vector in zip(
            tqdm(store.cuis, desc=path.name, disable=None), store.embedding, strict=True
        ):
            name = cui.decode()
            key = name.replace("/", "___").replace(" ", "__")
            if _decode(key) != name:
                raise InputError(f"{store.path}: {name} cannot be written in the published layout")
            file.create_dataset(key, data=_halved(vector, name, store.path))


def _halved(vector: np.ndarray, name: str, path: Path) -> np.ndarray:
    """The vector in float16."""
    with np.errstate(over="ignore"):
        half = vector.astype(np.float16)
    if np.isinf(half).any():
        raise InputError(
            f"{path}: {name} has the number {np.abs(vector).max()}, and the published layout's "
            f"float16 ends at {np.finfo(np.float16).max}; scale the store's vectors down first"
        )
    return half


def _decode(key: str) -> str:
    return key.replace("___", "/").replace("__", " ")


def _data_sets(file: h5py.File) -> list[str]:
    found: list[str] = []

    def visit(name: str, item: h5py.HLObject) -> None:
        if isinstance(item, h5py.Dataset):
            found.append(name)

    file.visititems(visit)
    return found
