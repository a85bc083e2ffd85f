"""Adapters of a base LLM: fresh ones, or a checkpoint's, beside its weights or merged into them.

A plain LoRA that is not to be trained is read as the files that it is and added to the weights,
W + s B A (arXiv 2106.09685). That needs no PEFT, which takes longer to import than all else that
answers a question. Any other adapter stays beside the LLM, as PEFT computes it.
"""

import logging
import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torch import Tensor, nn

from kg.shared import processes
from kg.shared.artefact import read_json
from kg.shared.model_files import read_tensors
from meg.config import LoraSettings

if TYPE_CHECKING:
    from peft import PeftModel

__all__ = ["WEIGHTS", "beside", "fresh", "merged", "weights_of"]

SETTINGS, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"

PAIR = (".lora_A.weight", ".lora_B.weight")

INSIDE = "base_model.model."
"""What PEFT's files put before the names of the LLM's modules."""

UNDERSTOOD = {
    *("auto_mapping", "base_model_name_or_path", "revision", "task_type", "peft_version"),
    *("inference_mode", "r", "lora_alpha", "lora_dropout", "use_rslora", "target_modules"),
    *("exclude_modules", "layers_to_transform", "layers_pattern", "megatron_core"),
    *("qalora_group_size", "fan_in_fan_out"),
}
"""Settings that `merged` follows, or that change nothing in trained weights."""

log = logging.getLogger(__name__)


def fresh(llm: Any, settings: LoraSettings) -> "PeftModel":
    """The LLM with new adapters on all linear layers but the output's, to be trained."""
    from peft import LoraConfig, get_peft_model  # noqa: PLC0415

    config = LoraConfig(
        r=settings.r,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    adapted: PeftModel = get_peft_model(llm, config)
    return adapted


def beside(llm: Any, folder: Path, trainable: bool) -> "PeftModel":
    """The LLM with a checkpoint's adapters beside its weights, as they are trained.

    Raises RuntimeError, ValueError or OSError for adapters that are not whole or of another LLM.
    """
    from peft import PeftModel  # noqa: PLC0415

    return PeftModel.from_pretrained(llm, str(folder), is_trainable=trainable)


def merged(llm: Any, folder: Path) -> Path | None:
    """Add the adapters in `folder` to the LLM's weights; None where that cannot be, else `folder`.

    The sums are float32, rounded once to the type of the weights. Raises ValueError or OSError
    for adapters that are not whole or of another LLM.
    """
    settings = read_json(folder / SETTINGS)
    weights, _ = read_tensors(folder / WEIGHTS, "copy the checkpoint's folder whole")
    if (reason := _special(llm, settings, weights)) is not None:
        log.warning("the adapters are computed beside the LLM, which is slower: %s", reason)
        return None
    llm.to(processes.device())
    for weight, change in _changes(llm, settings, weights):
        weight.data = (weight.float() + change).to(weight.dtype)
    return folder


def weights_of(llm: "PeftModel") -> dict[str, Tensor]:
    """The adapters' weights, by the names of PEFT's files."""
    from peft import get_peft_model_state_dict  # noqa: PLC0415

    return dict(get_peft_model_state_dict(llm))


def _special(llm: Any, settings: dict[str, Any], weights: dict[str, Tensor]) -> str | None:
    """Why they are not added to the weights, if they are not."""
    if getattr(llm, "is_quantized", False):
        return "its weights are quantized"
    if (kind := settings.get("peft_type")) != "LORA":
        return f"they are {kind}"
    usual = settings | {"peft_type": None}
    if usual.get("bias") == "none":
        usual["bias"] = None
    if usual.get("init_lora_weights") is True:
        usual["init_lora_weights"] = None
    if others := sorted(name for name, value in usual.items() if value and name not in UNDERSTOOD):
        return f"{others[0]} is {settings[others[0]]}"
    if any(part.ndim != 2 or not name.endswith(PAIR) for name, part in weights.items()):
        return "they are more than pairs of matrices"
    table, modules = llm.get_input_embeddings().weight, dict(llm.named_modules())
    if any(getattr(modules.get(_owner(name)), "weight", None) is table for name in weights):
        return "the output layer is adapted, whose weights are the embeddings too"
    return None


def _owner(name: str) -> str:
    """The LLM's module that a pair of matrices belongs to."""
    return name.removeprefix(INSIDE).rpartition(".lora_")[0]


def _changes(
    llm: nn.Module, settings: dict[str, Any], weights: dict[str, Tensor]
) -> Iterator[tuple[nn.Parameter, Tensor]]:
    """Each weight that is adapted, with what is added to it, float32 and on its device."""
    modules = dict(llm.named_modules())
    for name, down in weights.items():
        if not name.endswith(PAIR[0]):
            continue
        module = modules.get(_owner(name))
        up = weights.get(name.removesuffix(PAIR[0]) + PAIR[1])
        weight = getattr(module, "weight", None)
        if weight is None or up is None:
            raise ValueError(f"{name} has no counterpart")
        rank = len(down)
        scale = settings["lora_alpha"] / (math.sqrt(rank) if settings.get("use_rslora") else rank)
        change = scale * (up.to(weight.device).float() @ down.to(weight.device).float())
        # GPT-2's layers hold their weights the other way round.
        change = change if isinstance(module, nn.Linear) else change.T
        if change.shape != weight.shape:
            raise ValueError(
                f"{name} is for a weight of {(*change.shape,)}, not {(*weight.shape,)}"
            )
        yield weight, change
