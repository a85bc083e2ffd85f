"""State of a killed job: whose it is, and where."""

import errno
import fcntl
from contextlib import suppress

import pytest

from kg.shared.errors import InputError
from kg.shared.resume import resumable


def killed(path, identity):
    """A job that leaves a file in its state."""
    with suppress(KeyboardInterrupt), resumable(path, identity) as state:
        (state / "half").touch()
        raise KeyboardInterrupt


class TestState:
    def test_of_a_killed_job_is_there_again_and_goes_with_success(self, tmp_path):
        killed(tmp_path / "state", {"a": 1})
        with resumable(tmp_path / "state", {"a": 1}) as state:
            assert (state / "half").is_file()
        assert list(tmp_path.iterdir()) == []

    def test_of_another_job_is_removed(self, tmp_path):
        killed(tmp_path / "state", {"a": 1})
        with resumable(tmp_path / "state", {"a": 2}) as state:
            assert not (state / "half").exists()

    def test_of_a_running_job_is_refused(self, tmp_path):
        expected = pytest.raises(InputError, match="is used by another running job")
        with resumable(tmp_path / "state", {}), expected, resumable(tmp_path / "state", {}):
            pytest.fail("two at once")

    def test_on_a_file_system_without_locks_says_so(self, tmp_path, monkeypatch):
        def flock(*_):
            raise OSError(errno.ENOLCK, "No locks available")

        monkeypatch.setattr(fcntl, "flock", flock)
        expected = pytest.raises(InputError, match=r"has no locks .* put the state on one that has")
        with expected, resumable(tmp_path / "state", {}):
            pytest.fail("another job could use it too")

    def test_is_no_folder_of_other_files(self, tmp_path):
        (tmp_path / "notes.txt").write_text("mine")
        with pytest.raises(InputError, match="files of no such state"), resumable(tmp_path, {}):
            pytest.fail("they would be lost")
        assert (tmp_path / "notes.txt").read_text() == "mine"

    def test_may_be_a_link(self, tmp_path):
        (tmp_path / "state").symlink_to(tmp_path / "large" / "disk")
        for _ in range(2):
            killed(tmp_path / "state", {"a": 1})
            assert (tmp_path / "large" / "disk" / "half").is_file()
            with resumable(tmp_path / "state", {"a": 1}) as state:
                assert (state / "half").is_file()
            assert (tmp_path / "state").is_symlink()
            assert not (tmp_path / "large" / "disk").exists()
