"""A checkpoint of the published models to one of ours, without loading the LLM.

Theirs is one state dict: `mapper.G.*` and `mapper.F.*`, the mapping networks, and
`language_decoder.base_model.*`, the LLM with its adapters. Ours keeps G and the adapters; F served
Phase I only, and the LLM's own weights are the base's, which stays where it is.

Published: lautel/MEG-Mistral-7B-Instruct-v0.1, -v0.3 and lautel/MEG-Llama-3.1-8B-Instruct.
"""

import logging
import pickle
import re
from collections.abc import Iterator
from pathlib import Path

import torch
from peft import LoraConfig
from pydantic import Field
from safetensors.torch import save_file
from torch import Tensor

from kg.shared.artefact import replacing, write_json
from kg.shared.command import Command, main
from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.model_files import read_tensors
from kg.store import EmbeddingStore
from meg.config import LoraSettings, MapperConfig, ModelConfig, PromptConfig
from meg.model.checkpoint import Record, check_folder, recorded
from meg.model.mapper import build_network

__all__ = ["adapter_of", "mapper_of", "read_state"]

log = logging.getLogger(__name__)

State = dict[str, Tensor]

G, LLM = "mapper.G.", "language_decoder."
BESIDE = ("training_args.bin", "optimizer.bin", "optimizer.pt", "scheduler.bin", "scheduler.pt")
"""What transformers' Trainer writes beside the weights; the first is no tensors at all."""

ADAPTER = re.compile(r"(.*\.lora_[AB])(?:\.\w+)?\.weight")
"""PEFT names an adapter inside the model (`default`), and leaves the name out of its files."""


def read_state(path: Path) -> State:
    """All tensors of a .safetensors or torch file, or of a folder of them; never unpickled."""
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    files = files or sorted({*path.glob("*.bin"), *path.glob("*.pt")} - {path / n for n in BESIDE})
    if not files:
        raise InputError(f"{path} is no checkpoint file and has none; expected .safetensors or .pt")
    state: State = {}
    for file in files:
        if file.suffix == ".safetensors":
            state |= read_tensors(file, "download it again")[0]
            continue
        check_file(file, "download it again")
        try:
            loaded = torch.load(file, map_location="cpu", weights_only=True)
        except pickle.UnpicklingError as error:
            raise InputError(
                f"{file} holds more than tensors (weights_only): it is not read; save its state "
                "dict as .safetensors"
            ) from error
        state |= loaded.get("state_dict", loaded)
    return state


def mapper_of(state: State) -> tuple[MapperConfig, int, State]:
    """Configuration of the published G, width of its concept vectors, and its weights as ours.

    Its linear layers stand in order, whatever they are called between `mapper.G.` and their
    number.
    """
    weights = [value for _, value in _layers(state, "weight")]
    biases = [value for _, value in _layers(state, "bias")]
    if not weights or len(weights) != len(biases) or any(w.dim() != 2 for w in weights):
        raise InputError(
            f"the checkpoint's {G}* are {len(weights)} weights and {len(biases)} biases, expected "
            "those of a chain of linear layers; transformer mappers were not published"
        )
    kind = "linear" if len(weights) == 1 else "mlp"
    width = weights[0].shape[0] if kind == "mlp" else 1
    config = MapperConfig(kind=kind, layers=max(1, len(weights) - 1), width=width, normalise=False)
    kge, hidden = weights[0].shape[1], weights[-1].shape[0]
    network = build_network(config, kge, hidden)
    both = [tensor.float() for pair in zip(weights, biases, strict=True) for tensor in pair]
    found = dict(zip(network.state_dict(), both, strict=True))
    try:
        network.load_state_dict(found)
    except RuntimeError as error:
        raise InputError(f"the checkpoint's {G}* are no chain of linear layers: {error}") from error
    return config, kge, {f"network.{name}": tensor for name, tensor in found.items()}


def adapter_of(state: State) -> tuple[int, list[str], State]:
    """Rank, adapted modules, and adapter weights under the names of PEFT's files."""
    found = {
        f"{match[1]}.weight": tensor
        for name, tensor in state.items()
        if name.startswith(LLM) and (match := ADAPTER.fullmatch(name.removeprefix(LLM)))
    }
    if not found:
        raise InputError(f"the checkpoint has no adapter ({LLM}*.lora_A.*); is it a published MEG?")
    ranks = {tensor.shape[0] for name, tensor in found.items() if ".lora_A." in name}
    if len(ranks) != 1:
        raise InputError(f"the adapters have the ranks {sorted(ranks)}, expected one")
    modules = sorted({name.split(".lora_")[0].rpartition(".")[2] for name in found})
    return ranks.pop(), modules, found


def _layers(state: State, kind: str) -> list[tuple[list[int], Tensor]]:
    def numbered() -> Iterator[tuple[list[int], Tensor]]:
        for name, tensor in state.items():
            if name.startswith(G) and name.endswith(f".{kind}"):
                yield [int(number) for number in re.findall(r"\d+", name)], tensor

    return sorted(numbered(), key=lambda layer: layer[0])


class ImportPublishedCommand(Command):
    """Make a checkpoint of ours from a published one."""

    published: Path = Field(description="state dict (.pt, .bin, .safetensors) or a folder of them")
    base: str = Field(description="the base LLM it was trained from: hub id or folder")
    store: Path = Field(description="embeddings.h5 of the published vectors (kg.store import)")
    alpha: int = Field(64, ge=1, description="scale of the adapters times their rank")
    prompt: PromptConfig = Field(PromptConfig(), description="how it is asked")
    out: Path = Field(description="checkpoint folder to write")

    def run(self) -> None:
        """Read the published weights, save them as a checkpoint."""
        check_folder(self.out)
        state, store = read_state(self.published), EmbeddingStore(self.store)
        mapper, kge, weights = mapper_of(state)
        rank, modules, adapter = adapter_of(state)
        if kge != store.dim:
            raise InputError(f"the mapper takes vectors of {kge}, {self.store} has {store.dim}")
        lora = LoraSettings(r=rank, alpha=self.alpha)
        record = Record(
            model=ModelConfig(base=self.base, lora=lora, mapper=mapper),
            kge=kge,
            store=store.space,
            prompt=self.prompt,
            store_path=str(self.store),
        )
        with replacing(self.out) as temporary:
            (temporary / "adapter").mkdir(parents=True)
            peft = LoraConfig(
                r=rank,
                lora_alpha=self.alpha,
                lora_dropout=lora.dropout,
                target_modules=modules,
                task_type="CAUSAL_LM",
                base_model_name_or_path=self.base,
                inference_mode=True,
            )
            peft.save_pretrained(str(temporary / "adapter"))
            save_file(_whole(adapter), temporary / "adapter" / "adapter_model.safetensors")
            save_file(_whole(weights), temporary / "mapper.safetensors")
            write_json(temporary / "meg.json", recorded(self.out, record).model_dump(mode="json"))
        left = len(state) - len(adapter) - len(weights)
        log.info(
            "%s: %d adapter tensors, G of %s; %d tensors of the base LLM and of F left out",
            self.out,
            len(adapter),
            mapper,
            left,
        )


def _whole(state: State) -> State:
    return {name: tensor.contiguous().clone() for name, tensor in state.items()}


if __name__ == "__main__":
    main(ImportPublishedCommand)
