"""Files that are not what their names say."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from kg.shared.damage import check_file
from kg.shared.errors import InputError

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 9\n"


def whole(path):
    """A whole file of the format that the name has."""
    if path.suffix == ".safetensors":
        save_file({"a": np.arange(100)}, path)
    elif path.suffix == ".json":
        path.write_text('{"a": [1, 2, 3]}')
    else:
        torch.save({"a": torch.arange(100)}, path)
    return path


NAMES = ["a.safetensors", "a.json", "a.pt", "a.pth"]


@pytest.mark.parametrize("name", NAMES)
def test_a_whole_file_passes(tmp_path, name):
    check_file(whole(tmp_path / name), "no step")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda content: content[: len(content) // 2], "is cut short or damaged"),
        (lambda _: b"", "is empty"),
        (lambda _: POINTER, "is the pointer of Git LFS.* run `git lfs pull` in"),
    ],
)
def test_a_damaged_file_is_named_with_the_next_step(tmp_path, name, spoil, message):
    path = whole(tmp_path / name)
    path.write_bytes(spoil(path.read_bytes()))
    with pytest.raises(InputError, match=rf"{name} {message}.*fetch it again"):
        check_file(path, "fetch it again")


def test_a_byte_that_changed_in_a_state_is_found(tmp_path):
    path = whole(tmp_path / "a.pt")
    content = path.read_bytes()
    values = torch.arange(100).numpy().tobytes()
    path.write_bytes(content.replace(values, bytes(len(values))))
    with pytest.raises(InputError, match="has another checksum"):
        check_file(path, "fetch it again")
