"""Checkpoints on the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HFValidationError, HTTPError

from kg.shared.errors import InputError
from meg.model.record import INSIDE

__all__ = ["checkpoint_folder", "upload"]

ERRORS = (HTTPError, HFValidationError, OSError)
"""What the hub raises; HTTPError is of its client's library, which may be httpx or httpx2."""


def checkpoint_folder(checkpoint: str | Path) -> Path:
    """A local folder, anything else from the hub's cache or the hub; of an export what is in it."""
    path = Path(checkpoint)
    if not (path.exists() or path.is_absolute() or len(path.parts) != 2):
        path = _downloaded(str(checkpoint))
    return path / INSIDE if (path / INSIDE / "meg.json").is_file() else path


def _downloaded(checkpoint: str) -> Path:
    try:
        return Path(snapshot_download(checkpoint))
    except ERRORS as error:
        raise InputError(
            f"{checkpoint} is neither a checkpoint folder nor found on the hub: {error}"
        ) from error


def upload(folder: Path, repository: str, private: bool, hub: HfApi) -> str:
    """Write a checkpoint folder to a repository, which is made if need be; returns its address."""
    try:
        hub.create_repo(repository, private=private, exist_ok=True)
        return str(hub.upload_folder(repo_id=repository, folder_path=folder))
    except ERRORS as error:
        raise InputError(
            f"cannot write to {repository} on the hub ({error}); check the network and the "
            "name, log in with `hf auth login`; without network `save_pretrained(folder)` "
            f"here and `hf upload {repository} folder` from where there is one"
        ) from error
