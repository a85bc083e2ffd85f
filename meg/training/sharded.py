"""Parameters that DeepSpeed or FSDP have parted over the processes: put together, saved, loaded.

All processes have to ask for a whole parameter at once.
"""

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor

__all__ = ["give_back_deepspeed", "give_back_fsdp", "leave_out_frozen", "load_into", "whole"]


def whole(parameter: nn.Parameter) -> Tensor:
    """A parameter's values without gradient, of all processes where FSDP has parted it."""
    values = parameter.detach()
    return values.full_tensor() if isinstance(values, DTensor) else values.contiguous()


def load_into(parameter: nn.Parameter, values: Tensor) -> None:
    """Overwrite a parameter by whole values; where FSDP has parted it, by this process's share."""
    here: Any = parameter.detach()
    if isinstance(here, DTensor):
        values = distribute_tensor(values.to(here.device), here.device_mesh, here.placements)
    here.copy_(values)


def give_back_fsdp(module: nn.Module, wanted: set[str]) -> None:
    """Put whole float32 parameters in the place of those that are `wanted`, by their name.

    The others stay in parts: the LLM needs to fit into no GPU as a whole.
    """
    for prefix, owner in module.named_modules():
        for name, parameter in list(owner.named_parameters(recurse=False)):
            if f"{prefix}.{name}" in wanted:
                values = nn.Parameter(whole(parameter).float(), parameter.requires_grad)
                owner.register_parameter(name, values)


def give_back_deepspeed(engine: Any, parameters: list[nn.Parameter]) -> None:
    """End DeepSpeed's engine; these parameters are whole and float32 in every process then."""
    values = [_gathered(parameter) for parameter in parameters]
    engine.destroy()
    for parameter, value in zip(parameters, values, strict=True):
        parameter.data = value.float()


def leave_out_frozen(engine: Any) -> None:
    """Let DeepSpeed's checkpoints hold what is trained, not the base LLM too."""
    save, load = engine.save_checkpoint, engine.load_checkpoint

    def load_trained(folder: str, **options: Any) -> Any:
        return load(folder, **options | {"load_module_strict": False})

    engine.save_checkpoint = partial(save, exclude_frozen_parameters=True)
    engine.load_checkpoint = load_trained


def _gathered(parameter: nn.Parameter) -> torch.Tensor:
    """A copy of what DeepSpeed has parted or narrowed."""
    from deepspeed.runtime.zero import GatheredParameters  # noqa: PLC0415
    from deepspeed.utils import safe_get_full_fp32_param  # noqa: PLC0415

    if parameter.requires_grad:
        return safe_get_full_fp32_param(parameter).clone()
    with GatheredParameters([parameter]):
        return parameter.detach().clone()
