"""The embedding store: one vector a concept, in HDF5, opened without reading it.

Layout: data set `cui` (N, fixed-width bytes, sorted), data set `embedding` (N, D), contiguous,
float16 or float32. Attributes: `format`, `concepts` (digest of the ordered cuis, see
`kg.graph.tables.concepts_digest`), `config` and `metrics` (JSON), `space` (id of the vector space,
which files of before it lack). The vectors are mapped at their offset in the file, so opening costs
no memory and a look-up is a binary search.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import polars as pl

from kg.graph.tables import concepts_digest
from kg.shared.artefact import replacing
from kg.shared.errors import InputError
from kg.shared.hdf5 import open_hdf5

__all__ = ["FORMAT", "EmbeddingStore", "matching_rows", "write_store"]

FORMAT = "meg-store-1"


class EmbeddingStore:
    """Read-only view of a store file.

    Attributes: `cuis` (N,) bytes, sorted; `embedding` (N, D), memory-mapped; `attributes`, the
    file's attributes with `config` and `metrics` decoded.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(path)
        try:
            with open_hdf5(self.path, "r", "make it with kg.train or kg.store import") as file:
                self.attributes = _attributes(file, self.path)
                self.cuis = _mapped(file["cui"], self.path)
                self.embedding = _mapped(file["embedding"], self.path)
        except (OSError, KeyError, AttributeError, json.JSONDecodeError) as error:
            raise InputError(
                f"{path} is not a whole store of format {FORMAT} ({error}); make it again"
            ) from error
        if self.embedding.ndim != 2 or self.cuis.shape != self.embedding.shape[:1]:
            raise InputError(
                f"{path} is not a whole store: cuis {self.cuis.shape}, vectors "
                f"{self.embedding.shape}, expected a row a cui; make it again"
            )

    def __len__(self) -> int:
        return len(self.cuis)

    @property
    def graph(self) -> Path:
        """The folder of its graph's tables, where the workflow keeps them."""
        return self.path.parent.parent

    @property
    def dim(self) -> int:
        """Width of a vector."""
        return self.embedding.shape[1]

    @property
    def parts(self) -> tuple[int, ...]:
        """Widths of the parts that a vector is put together from, each with a length of its own."""
        config = self.attributes["config"]
        sage = "graphsage" in config.get("encoder", "")
        spectral = config.get("spectral_dim", 0) if sage else 0
        return (self.dim - spectral, spectral) if spectral else (self.dim,)

    @property
    def space(self) -> str:
        """Id of what the numbers of a vector mean; `kg.embed` adds concepts in the same space.

        A file without the attribute is known by the encoder's settings and measures, or, where
        there are no measures, by its concepts.
        """
        attributes = self.attributes
        if "space" in attributes:
            return str(attributes["space"])
        made = [attributes["config"], attributes["metrics"] or attributes["concepts"]]
        return hashlib.sha256(json.dumps(made, sort_keys=True).encode()).hexdigest()

    def rows(self, cuis: Sequence[str]) -> np.ndarray:
        """Row of each cui, (n,) int64; -1 where the store does not have it."""
        names = [cui.encode() for cui in cuis]
        # Of the store's own width: of another one NumPy would copy all cuis to compare them.
        wanted = np.array(names, dtype=self.cuis.dtype)
        if not len(wanted):
            return np.zeros(0, dtype=np.int64)
        found = np.searchsorted(self.cuis, wanted).clip(max=len(self) - 1)
        # NumPy cuts what is longer, and tells no null character at an end.
        whole = np.char.str_len(wanted) == [len(name) for name in names]
        return np.where(whole & (self.cuis[found] == wanted), found, -1)

    def get(self, cuis: Sequence[str]) -> np.ndarray:
        """Vectors of the cuis, (n, D) float32; raises InputError naming those it lacks."""
        rows = self.rows(cuis)
        missing = [cui for cui, row in zip(cuis, rows, strict=True) if row < 0]
        if missing:
            raise InputError(
                f"{len(missing)} of {len(cuis)} cuis are not in {self.path} "
                f"(first {missing[0]}); rebuild the store from the same graph"
            )
        return np.asarray(self.embedding[rows], dtype=np.float32)

    def __contains__(self, cui: str) -> bool:
        return bool(self.rows([cui])[0] >= 0)

    def check(self, concepts: pl.DataFrame) -> None:
        """Raise InputError unless row i of `concepts` is row i of the store."""
        if self.attributes["concepts"] != concepts_digest(concepts["cui"]):
            raise InputError(
                f"{self.path} ({len(self)} rows) was made from other concepts than these "
                f"({concepts.height} rows); rebuild it from the same graph"
            )


def write_store(
    path: Path,
    cuis: pl.Series,
    embedding: np.ndarray,
    config: dict[str, Any],
    metrics: dict[str, Any],
    space: str | None = None,
) -> None:
    """Write vectors (N, D), float16 or float32, row i belonging to the i-th of the sorted cuis.

    `space`: that of the store which this one extends; None: a new one, named by the digest of the
    vectors and their cuis.
    """
    rows, is_float = embedding.shape[0], embedding.dtype in (np.float16, np.float32)
    if embedding.ndim != 2 or rows != len(cuis) or not is_float:
        raise InputError(
            f"{path}: got {embedding.shape} {embedding.dtype} vectors for {len(cuis)} cuis, "
            "expected one float16 or float32 row each"
        )
    astray = (cuis <= cuis.shift()).fill_null(False) | cuis.str.ends_with("\0")
    if astray.any():
        raise InputError(
            f"{path}: {astray.sum()} cuis are not behind the one before or end in a null character "
            f"(first {cuis.filter(astray)[0]!r}); sort them, each once"
        )
    broken = np.flatnonzero(~np.isfinite(embedding).all(axis=1))
    if len(broken):
        raise InputError(
            f"{path}: {len(broken)} vectors are not finite (first {cuis[int(broken[0])]}); "
            "lower the learning rate or store float32"
        )
    concepts = concepts_digest(cuis)
    with replacing(path, embedding.nbytes) as temporary, open_hdf5(temporary, "w", "") as file:
        file.create_dataset("cui", data=np.array([cui.encode() for cui in cuis], dtype=bytes))
        file.create_dataset("embedding", data=embedding)
        file.attrs["format"] = FORMAT
        file.attrs["concepts"] = concepts
        file.attrs["space"] = space or _space_of(embedding, concepts)
        file.attrs["config"] = json.dumps(config)
        file.attrs["metrics"] = json.dumps(metrics)


def matching_rows(names: list[str], cuis: pl.Series) -> np.ndarray:
    """Place of each cui among `names`, -1 where it is not there, (n,) int64."""
    place = {name: row for row, name in enumerate(names)}
    return np.array([place.get(cui, -1) for cui in cuis], dtype=np.int64)


def _space_of(embedding: np.ndarray, concepts: str) -> str:
    digest = hashlib.sha256(f"{concepts} {embedding.dtype} {embedding.shape}\n".encode())
    digest.update(np.ascontiguousarray(embedding).view(np.uint8).data)
    return digest.hexdigest()


def _attributes(file: h5py.File, path: Path) -> dict[str, Any]:
    if file.attrs.get("format") != FORMAT:
        raise InputError(
            f"{path} is not a store of format {FORMAT} (got {file.attrs.get('format')!r}); "
            "a published word2embed_*.h5 file is converted by `python -m kg.store import`"
        )
    space = {"space": file.attrs["space"]} if "space" in file.attrs else {}
    return space | {
        "format": FORMAT,
        "concepts": file.attrs["concepts"],
        "config": json.loads(file.attrs["config"]),
        "metrics": json.loads(file.attrs["metrics"]),
    }


def _mapped(dataset: h5py.Dataset, path: Path) -> np.ndarray:
    offset = dataset.id.get_offset()
    if offset is None or not dataset.size:
        raise InputError(f"{path}: {dataset.name} is empty or not contiguous; write it again")
    return np.memmap(path, dtype=dataset.dtype, mode="r", offset=offset, shape=dataset.shape)
