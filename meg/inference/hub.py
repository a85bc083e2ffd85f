"""Checkpoints on the Hugging Face hub."""

from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HFValidationError, HTTPError

from kg.shared.errors import InputError

__all__ = ["checkpoint_folder", "upload"]

ERRORS = (HTTPError, HFValidationError, OSError)
"""What the hub raises; HTTPError is of its client's library, which may be httpx or httpx2."""


def checkpoint_folder(checkpoint: str | Path) -> Path:
    """A local folder as it is, anything else from the hub's cache or the hub."""
    path = Path(checkpoint)
    if path.exists() or path.is_absolute() or len(path.parts) != 2:
        return path
    try:
        return Path(snapshot_download(str(checkpoint)))
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
