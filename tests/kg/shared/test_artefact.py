"""Files are whole or not there, and other people's to read."""

import os
import shutil
import subprocess
import sys

import h5py
import marisa_trie
import numpy as np
import pytest
from safetensors.numpy import save_file

from kg.shared.artefact import replacing
from kg.shared.errors import InputError


def folder_of(path, text):
    with replacing(path) as temporary:
        temporary.mkdir()
        (temporary / "a").write_text(text)


class TestLinks:
    def test_to_a_folder_stays_and_its_target_is_replaced(self, tmp_path):
        (tmp_path / "elsewhere").mkdir()
        (tmp_path / "elsewhere" / "old").touch()
        (tmp_path / "out").symlink_to("elsewhere")
        folder_of(tmp_path / "out", "new")
        assert (tmp_path / "out").is_symlink()
        assert [item.name for item in (tmp_path / "elsewhere").iterdir()] == ["a"]

    @pytest.mark.parametrize("exists", [True, False])
    def test_to_a_file_stays(self, tmp_path, exists):
        target = tmp_path / "elsewhere" / "file"
        if exists:
            target.parent.mkdir()
            target.write_text("old")
        (tmp_path / "out").symlink_to(target)
        with replacing(tmp_path / "out") as temporary:
            temporary.write_text("new")
        assert (tmp_path / "out").is_symlink()
        assert target.read_text() == "new"


class TestMode:
    @pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o027, 0o640), (0o077, 0o600)])
    def test_is_what_the_umask_says(self, tmp_path, umask, mode):
        """The library of safetensors makes files that their owner alone may read."""
        before = os.umask(umask)
        try:
            with replacing(tmp_path / "folder") as temporary:
                (temporary / "adapter").mkdir(parents=True)
                save_file({"a": np.ones(3)}, temporary / "adapter" / "weights")
            with replacing(tmp_path / "file") as temporary:
                save_file({"a": np.ones(3)}, temporary)
        finally:
            os.umask(before)
        for path in (tmp_path / "folder" / "adapter" / "weights", tmp_path / "file"):
            assert path.stat().st_mode & 0o777 == mode


def _h5(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.ones(1_000_000))


def _trie(path):
    names = [f"{number * 2654435761 % 2**40:x}" for number in range(600_000)]
    marisa_trie.Trie(names).save(str(path))


WRITERS = {
    "bytes": lambda path: path.write_bytes(bytes(8_000_000)),
    "numpy": lambda path: np.save(path.open("wb"), np.ones(1_000_000)),
    "safetensors": lambda path: save_file({"a": np.ones(1_000_000)}, path),
    "hdf5": _h5,
    "marisa": _trie,
}


def fill():
    """Run in a user's own small file system: every library's writer until the disk is full."""
    from pathlib import Path  # noqa: PLC0415

    for name, write in WRITERS.items():
        path = Path("/mnt/out")
        path.write_text("old")
        expected = pytest.raises(InputError, match="disk is full, or the quota used up")
        with expected, replacing(path) as temporary:
            write(temporary)
        assert path.read_text() == "old", name
        assert len(list(Path("/mnt").iterdir())) == 1, name


class TestFullDisk:
    def test_is_said_before_where_the_size_is_known(self, tmp_path):
        free = shutil.disk_usage(tmp_path).free
        expected = pytest.raises(InputError, match=r"needs [\d,]+ bytes, and [\d,]+ are free")
        with expected, replacing(tmp_path / "out", size=2 * free):
            pytest.fail("nothing is to be written")
        assert list(tmp_path.iterdir()) == []

    def test_is_told_apart_from_other_errors(self, tmp_path):
        with pytest.raises(OSError, match="mine"), replacing(tmp_path / "out"):
            raise OSError("mine")

    def test_of_any_library_is_an_error_and_leaves_no_partial(self):
        private = ["unshare", "--user", "--map-root-user", "--mount"]
        if (
            not shutil.which("unshare")
            or subprocess.run([*private, "true"], check=False).returncode
        ):
            pytest.skip("no file system may be mounted here")
        code = "from tests.kg.shared.test_artefact import fill; fill()"
        script = f"mount -t tmpfs -o size=2m tmpfs /mnt && exec {sys.executable} -c '{code}'"
        done = subprocess.run(
            [*private, "sh", "-c", script], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:]
