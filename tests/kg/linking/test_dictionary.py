"""A linker's folder on the disk."""

import os

import polars as pl
import pytest

from kg.config import LinkConfig
from kg.graph.tables import CONCEPTS
from kg.linking.build import build_dictionary
from kg.linking.dictionary import read_dictionary, write_dictionary
from kg.shared.errors import InputError

ROWS = [("C1", "Ataxia", ["Dyssynergia"], [], None), ("C2", "Fever", [], [], None)]


@pytest.fixture
def folder(tmp_path):
    concepts = pl.DataFrame(ROWS, schema=CONCEPTS, orient="row")
    write_dictionary(tmp_path / "linker", build_dictionary(concepts, LinkConfig())[0], {})
    return tmp_path / "linker"


FILES = [
    "linker.json", "names.marisa", "words.marisa",
    "first.npy", "concept.npy", "share.npy", "link.npy", "symbol.npy", "cui.npy",
]  # fmt: skip


def test_every_file_is_damaged_below(folder):
    assert sorted(FILES) == sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["cut", "empty", "gone"])
def test_a_damaged_file_is_named(folder, name, damage):
    path = folder / name
    if damage == "gone":
        path.unlink()
    else:
        os.truncate(path, path.stat().st_size - 1 if damage == "cut" else 0)
        if name == "linker.json" and damage == "cut":
            os.truncate(path, 5)
    with pytest.raises(InputError, match=r"linker.*kg\.link build"):
        read_dictionary(folder)
