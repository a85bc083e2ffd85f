"""What a checkpoint was made from, told so that it is found again and nothing else is taken for it.

The base LLM is known by a digest of its weights and tokenizer, one of the hub by its revision too.
Relative paths are kept relative to the checkpoint, which may be read from another folder.
"""

import hashlib
import json
import logging
import os
from pathlib import Path

from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError
from transformers import AutoTokenizer

from kg.shared.errors import InputError
from kg.shared.model_files import check_files, folder_of, locate, weights_digest
from meg.config import ModelConfig

__all__ = ["base_digest", "check_base", "identify", "local_digest", "path_from", "path_to"]

log = logging.getLogger(__name__)


def base_digest(folder: Path) -> str:
    """SHA-256 of a base LLM's weights, its tokens' numbers and its chat template."""
    check_files(folder, "copy or download the base LLM again")
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, mistral_format=False)
    except (OSError, ValueError, ImportError) as error:
        raise InputError(
            f"{folder} has no tokenizer that can be read ({error!s:.300}); copy the LLM whole"
        ) from error
    words = json.dumps([tokenizer.get_vocab(), tokenizer.chat_template], sort_keys=True)
    return hashlib.sha256(f"{weights_digest(folder)} {words}".encode()).hexdigest()


def identify(model: ModelConfig) -> tuple[str | None, str | None]:
    """Digest of the base LLM, and its revision on the hub; None for what cannot be told."""
    name = locate(model.base)
    try:
        folder = folder_of(name)
    except (HFValidationError, LocalEntryNotFoundError):
        log.warning("the base LLM %s is not on this machine: its digest is not recorded", name)
        return None, None
    # The hub's cache names folders by revisions.
    return base_digest(folder), None if Path(name).is_dir() else folder.name


def local_digest(base: str) -> str | None:
    """`base_digest` of a base LLM in a folder; None for one of the hub, perhaps not here yet."""
    folder = Path(locate(base))
    return base_digest(folder) if folder.is_dir() else None


def check_base(checkpoint: Path, name: str, expected: str | None, revision: str | None) -> None:
    """Raise InputError unless the base LLM `name` is the one of the digest `expected`."""
    if expected is None:
        log.warning(
            "%s does not tell the digest of its base LLM: whether %s is that LLM is not checked",
            checkpoint,
            name,
        )
        return
    found = base_digest(folder_of(locate(name), revision))
    if found != expected:
        raise InputError(
            f"{checkpoint} was trained on another LLM than {name}: the digest of weights and "
            f"tokenizer is {found[:12]}, expected {expected[:12]}; name the right one by base "
            "(--base)"
        )


def path_from(checkpoint: Path, path: str | None) -> str | None:
    """A relative path of what exists, as it is seen from the checkpoint; others as they are."""
    if path is None or Path(path).is_absolute() or not Path(path).exists():
        return path
    return os.path.relpath(Path(path).resolve(), checkpoint.resolve())


def path_to(checkpoint: Path, path: str | None) -> str | None:
    """The path that `path_from` wrote, as it is seen from the current folder; else as it is."""
    if path is None or Path(path).is_absolute() or not (checkpoint.resolve() / path).exists():
        return path
    return os.path.relpath(checkpoint.resolve() / path)
