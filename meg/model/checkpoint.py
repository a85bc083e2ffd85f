"""Base LLMs and checkpoints: load, extend by adapters and a mapper, save.

A checkpoint is small: `meg.json` (what it was made from and with, and how it is asked),
`mapper.safetensors`, and `adapter/` in PEFT's format. The base LLM stays where it is and is named,
with the store's digest.
"""

import json
import logging
import shutil
from collections.abc import Collection, Mapping
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from kg.shared import processes
from kg.shared.artefact import replacing, write_json
from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.model_files import check_files, read_tensors
from meg.config import ModelConfig
from meg.model import adapter
from meg.model.llm import load_llm, table
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM
from meg.model.origin import check_base
from meg.model.record import Record, read_record, recorded
from meg.prompts.tokens import Tokens

__all__ = [
    "CONTRAST",
    "History",
    "build",
    "check_finite",
    "check_folder",
    "load",
    "load_contrast",
    "load_mapper",
    "save",
    "write_history",
]

History = list[dict[str, Any]]

CONTRAST = "contrast.safetensors"
"""Of an imported checkpoint: the inverse mapper and the weight of Phase I's losses, to go on."""

FILES = {"adapter", "mapper.safetensors", CONTRAST, "meg.json", "history.jsonl", "metrics.json"}
"""What a checkpoint folder holds; another one is not overwritten."""

log = logging.getLogger(__name__)


def build(config: ModelConfig, kge: int, adapters: bool = True) -> tuple[ConceptLM, Tokens]:
    """The base LLM with a fresh mapper and, if wanted, fresh adapters.

    The LLM's own parameters are frozen. Raises InputError when the base cannot be loaded.
    """
    llm, tokens = load_llm(config, trained=adapters)
    embeddings = table(llm)
    mapper = Mapper(config.mapper, kge, embeddings.shape[1]).to(embeddings.device)
    # As the layer returns them: Gemma 3's scales its weights.
    every = torch.arange(len(embeddings), device=embeddings.device)
    mapper.fit_to(llm.get_input_embeddings()(every))
    adapted = adapter.fresh(llm, config.lora) if adapters else llm
    return _assemble(adapted, mapper, tokens, config), tokens


def save(
    path: Path,
    network: ConceptLM,
    record: Record,
    history: History | None = None,
    metrics: dict[str, Any] | None = None,
) -> None:
    """Write a checkpoint folder, whole or not at all, with what its training logged.

    An older checkpoint is replaced; see `check_folder`. Adapters that were merged when they were
    loaded are copied from there. Of several processes that train together only the first writes.
    """
    if not processes.is_first():
        return
    check_folder(path)
    weights = dict(network.mapper.state_dict())
    if network.adapted:
        weights |= adapter.weights_of(network.llm)
    check_finite(weights)
    with replacing(path, sum(values.nbytes for values in weights.values())) as temporary:
        temporary.mkdir()
        if network.adapted:
            network.llm.save_pretrained(str(temporary / "adapter"))
        elif network.merged is not None:
            check_file(network.merged / adapter.WEIGHTS, "load the checkpoint from where it is now")
            shutil.copytree(network.merged, temporary / "adapter")
        save_file(network.mapper.state_dict(), temporary / "mapper.safetensors")
        write_json(temporary / "meg.json", recorded(path, record).model_dump(mode="json"))
        if history is not None:
            write_history(temporary / "history.jsonl", history)
        if metrics is not None:
            write_json(temporary / "metrics.json", metrics)


def check_folder(path: Path, known: Collection[str] = FILES, what: str = "checkpoint") -> None:
    """Raise InputError where a `what` would take the place of other files than the `known` ones.

    `known` are names, with wildcards.
    """
    if path.is_file():
        raise InputError(f"{path} is a file; a checkpoint is a folder: name another one")
    held = sorted(item.name for item in path.iterdir()) if path.is_dir() else []
    others = [name for name in held if not any(fnmatch(name, pattern) for pattern in known)]
    if others:
        raise InputError(
            f"{path} holds {len(others)} files of no {what} (first {others[0]}), which would "
            "be lost; name another folder, or move them"
        )


def load(
    path: Path, base: str | None = None, trainable: bool = False
) -> tuple[ConceptLM, Tokens, Record]:
    """Read a checkpoint; `base` says where the base LLM is, if not where the record says.

    Unless `trainable`, its adapters are merged into the LLM's weights, where they can be. The
    record that is returned says where the base was found. Raises InputError where the checkpoint
    is incomplete or of another LLM.
    """
    record = read_record(path)
    config, revision = record.model, record.base_revision
    if base not in (None, config.base):
        config, revision = config.model_copy(update={"base": base}), None
    llm, tokens = load_llm(config, revision, trainable)
    check_base(path, config.base, record.base_digest, revision)
    mapper = load_mapper(path)
    if record.merged and trainable:
        raise InputError(f"{path} is an export, without adapters; train the checkpoint it was")
    adapted, merged = (llm, None) if record.merged else _adapted(llm, path, trainable)
    found = record.model_copy(update={"model": config, "base_revision": revision})
    return _assemble(adapted, mapper, tokens, config, merged), tokens, found


def _adapted(llm: Any, path: Path, trainable: bool) -> tuple[Any, Path | None]:
    """The LLM with the adapters of a checkpoint, and their folder if its weights hold them."""
    folder = path / "adapter"
    if folder.is_dir():
        check_files(folder, "copy the checkpoint's folder whole")
    try:
        merged = None if trainable else adapter.merged(llm, folder)
        return (llm if merged else adapter.beside(llm, folder, trainable)), merged
    except (RuntimeError, ValueError, OSError) as error:
        raise InputError(
            f"{path} has no whole adapter, or one of another LLM than {llm.name_or_path}: "
            f"{error!s:.300}; copy the folder whole, and name its LLM by base (--base)"
        ) from error


def load_mapper(path: Path) -> Mapper:
    """The mapper of a checkpoint, without the LLM that it belongs to."""
    record, file = read_record(path), path / "mapper.safetensors"
    if not file.is_file():
        raise InputError(f"{path} is incomplete: no {file.name}; copy the folder whole")
    weights, _ = read_tensors(file, "copy the checkpoint's folder whole")
    # The last parameter of a mapper of any width is its output layer's bias.
    *_, bias = Mapper(record.model.mapper, record.kge, 1).network.state_dict()
    mapper = Mapper(record.model.mapper, record.kge, len(weights[f"network.{bias}"]))
    mapper.load_state_dict(weights)
    return mapper


def load_contrast(path: Path) -> dict[str, torch.Tensor] | None:
    """F and the weight of Phase I's losses, of an imported checkpoint that has them."""
    file = path / CONTRAST
    return read_tensors(file, "import it again")[0] if file.is_file() else None


def _assemble(
    llm: Any, mapper: Mapper, tokens: Tokens, config: ModelConfig, merged: Path | None = None
) -> ConceptLM:
    network = ConceptLM(llm, mapper, tokens.placeholder, config.injection, merged)
    return network.to(processes.device())


def write_history(path: Path, history: History) -> None:
    """Write what was logged as JSON lines."""
    with replacing(path) as temporary:
        temporary.write_text("".join(json.dumps(row) + "\n" for row in history), encoding="utf-8")


def check_finite(weights: Mapping[str, Any]) -> None:
    """Raise InputError for trained weights that are no numbers; no loss shows the last step's."""
    for name, values in weights.items():
        if not torch.isfinite(values).all():
            raise InputError(
                f"{name} is not finite after the training, and not saved; train with a lower "
                "learning_rate, which starts anew"
            )
