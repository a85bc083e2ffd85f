"""What keeps an HDF5 file from being opened is said, with what to do."""

import errno
import os

import h5py
import numpy as np
import polars as pl
import pytest

from kg.shared.errors import InputError
from kg.shared.hdf5 import open_hdf5
from kg.store import EmbeddingStore, write_store
from kg.store.published import read_published, write_published


@pytest.fixture
def store(tmp_path):
    write_store(tmp_path / "e.h5", pl.Series(["C1"]), np.ones((1, 2), np.float32), {}, {})
    return EmbeddingStore(tmp_path / "e.h5")


def _fails(monkeypatch, number: int) -> None:
    """Opening fails as h5py reports it."""

    def unopened(*_):
        raise OSError(number, f"Unable to lock file, errno = {number}: {os.strerror(number)}")

    monkeypatch.setattr(h5py, "File", unopened)


class TestLocks:
    @pytest.mark.parametrize(
        "command",
        [
            lambda store: EmbeddingStore(store.path),
            lambda store: write_store(store.path, pl.Series(["C1"]), store.embedding, {}, {}),
            lambda store: read_published(store.path),
            lambda store: write_published(store.path, store),
        ],
    )
    def test_of_a_file_system_without_them(self, store, monkeypatch, command):
        _fails(monkeypatch, errno.ENOLCK)
        with pytest.raises(InputError, match=r"no locks .*export HDF5_USE_FILE_LOCKING=FALSE"):
            command(store)

    def test_of_another_process(self, store, monkeypatch):
        _fails(monkeypatch, errno.EAGAIN)
        with pytest.raises(InputError, match="locked by another process"):
            EmbeddingStore(store.path)


class TestOtherErrors:
    def test_of_permission_name_the_file(self, store, monkeypatch):
        _fails(monkeypatch, errno.EACCES)
        with pytest.raises(PermissionError) as raised, open_hdf5(store.path, "r", ""):
            pytest.fail("it was opened")
        assert raised.value.filename == str(store.path)

    def test_of_a_file_that_is_none(self, tmp_path):
        (tmp_path / "e.h5").write_bytes(b"no HDF5")
        expected = pytest.raises(InputError, match=r"e\.h5 is not a whole HDF5 file .*; fetch it")
        with expected, open_hdf5(tmp_path / "e.h5", "r", "fetch it"):
            pytest.fail("it was opened")

    def test_of_a_full_disk_are_left_to_the_writer(self, tmp_path, monkeypatch):
        _fails(monkeypatch, errno.ENOSPC)
        with pytest.raises(OSError, match="No space left"), open_hdf5(tmp_path / "e.h5", "w", ""):
            pytest.fail("it was opened")
