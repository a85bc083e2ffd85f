"""The published models' files, as the tensors of this project's checkpoints.

Theirs is one state dict: `mapper.G.*` and `mapper.F.*` (one linear layer: `mapper.fc1.*`), the
mapping networks, `mapper.alpha`, the weight of Phase I's losses, and
`language_decoder.base_model.*`, the LLM with its adapters.
"""

import pickle
import re
from pathlib import Path

import torch
from torch import Tensor

from kg.shared.damage import check_file
from kg.shared.errors import InputError
from kg.shared.model_files import read_tensors
from meg.config import MapperConfig
from meg.model.mapper import build_network

__all__ = ["State", "adapter_of", "contrast_of", "mapper_of", "read_state"]

State = dict[str, Tensor]

G, F, LINEAR, LLM = "mapper.G.", "mapper.F.", "mapper.fc1.", "language_decoder."
WEIGHT = "mapper.alpha"

BESIDE = re.compile(r"training_args\.bin|(optimizer|scheduler)\.(bin|pt)|.*optim_states\.pt")
"""What transformers' Trainer and DeepSpeed write beside the weights, or no tensors at all."""

INSIDE = ("module", "state_dict")
"""Where files such as DeepSpeed's mp_rank_00_model_states.pt keep the state dict."""

ADAPTER = re.compile(r"(.*\.lora_[AB])(?:\.\w+)?\.weight")
"""PEFT names an adapter inside the model (`default`), and leaves the name out of its files."""


def read_state(path: Path) -> State:
    """All tensors of a .safetensors or torch file, or of a folder of them; never unpickled."""
    files = [path] if path.is_file() else sorted(path.glob("*.safetensors"))
    files = files or sorted({*path.glob("*.bin"), *path.glob("*.pt")})
    files = [file for file in files if file == path or not BESIDE.fullmatch(file.name)]
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
        state |= next((loaded[name] for name in INSIDE if name in loaded), loaded)
    return state


def mapper_of(state: State, heads: int = 1) -> tuple[MapperConfig, int, State]:
    """Configuration of the published G, width of its concept vectors, and its weights as ours.

    The weights of a transformer do not tell its number of `heads`.
    """
    config, kge, _, found = _network(_under(state, G) or _under(state, LINEAR), G, heads)
    return config, kge, {f"network.{name}": tensor for name, tensor in found.items()}


def contrast_of(state: State, mapper: MapperConfig) -> State:
    """F and the weight a, as `meg.training.objectives.Contrast` has them; empty without F."""
    own = _under(state, F)
    if not own:
        return {}
    config, _, _, found = _network(own, F, mapper.heads)
    if config != mapper:
        raise InputError(f"the checkpoint's {F}* are {config}, and its {G}* {mapper}")
    if WEIGHT not in state:
        raise InputError(f"the checkpoint has {F}* and no {WEIGHT}; is it a published MEG?")
    weight = state[WEIGHT].float().reshape(1)
    return {"weight": weight} | {f"inverse.{name}": tensor for name, tensor in found.items()}


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


def _under(state: State, prefix: str) -> State:
    return {n.removeprefix(prefix): t.float() for n, t in state.items() if n.startswith(prefix)}


def _network(own: State, where: str, heads: int) -> tuple[MapperConfig, int, int, State]:
    """What a mapping network is, its input and output width, its weights under our names."""
    try:
        encoder = any("self_attn" in name for name in own)
        config, kge, hidden, found = (_transformer if encoder else _chain)(own, heads)
        network = build_network(config, kge, hidden)
        network.load_state_dict(dict(zip(network.state_dict(), found.values(), strict=True)))
    except (RuntimeError, ValueError, KeyError, IndexError) as error:
        raise InputError(
            f"the checkpoint's {where}* are {len(own)} tensors, neither those of a chain of linear "
            f"layers nor of a transformer between two of them: {error}"
        ) from error
    return config, kge, hidden, dict(network.state_dict())


def _chain(own: State, heads: int) -> tuple[MapperConfig, int, int, State]:
    """Linear layers, in the order of their numbers, whatever else their names say."""

    def place(name: str) -> tuple[list[int], bool]:
        return [int(number) for number in re.findall(r"\d+", name)], name.endswith("bias")

    ordered = {name: own[name] for name in sorted(own, key=place)}
    weights = [tensor for name, tensor in ordered.items() if name.endswith("weight")]
    config = MapperConfig(kind="linear", heads=heads, normalise=False, style="paper")
    if len(weights) > 1:
        sizes = {"layers": len(weights) - 1, "width": weights[0].shape[0]}
        config = config.model_copy(update={"kind": "mlp", **sizes})
    return config, weights[0].shape[1], weights[-1].shape[0], ordered


def _transformer(own: State, heads: int) -> tuple[MapperConfig, int, int, State]:
    """Of 0, the encoder 1, and 2; ours has a step before the encoder and one behind it."""
    ours = {f"{2 * int(name[0])}{name[1:]}": tensor for name, tensor in own.items()}
    layers = 1 + max(int(number) for name in own for number in re.findall(r"layers\.(\d+)", name))
    down, up = ours["0.weight"], ours["4.weight"]
    config = MapperConfig(
        kind="transformer",
        layers=layers,
        width=down.shape[0],
        heads=heads,
        normalise=False,
        style="paper",
    )
    network = build_network(config, down.shape[1], up.shape[0])
    return config, down.shape[1], up.shape[0], {name: ours[name] for name in network.state_dict()}
