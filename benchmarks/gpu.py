"""Training at full size on one GPU: both phases, beside plain transformers + PEFT.

    python -m benchmarks.gpu           # needs CUDA, about 40 GB of its memory, no download
    python -m benchmarks.gpu --tiny    # two narrow layers on any machine, to see that it runs

The LLMs have the published shapes and random weights; adapters, mapper, batch sizes and lengths are
those of the published runs. A step is forward, backward, clipping and AdamW, with gradient
checkpointing; ours as `compile: true` has it, which compiles before the first step. MFU is 4 FLOPs
a token and parameter (meg.training.meter) as a share of a bfloat16 matrix product measured in the
same run; recomputed activations and attention do not count.
"""

import argparse
import datetime
import gc
import platform
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from importlib.metadata import version
from typing import Any

import numpy as np
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from benchmarks.small_llm import KGE, vectors
from meg.config import AlignConfig, LoraSettings, MapperConfig, TrainingConfig
from meg.model.attention import attention
from meg.model.batch import Collator
from meg.model.mapper import Mapper
from meg.model.network import ConceptLM
from meg.prompts.tokens import Example
from meg.training.loop import ready
from meg.training.meter import matmul_ceiling
from meg.training.objectives import Align, Answer, Contrast

WIDE = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}
LLMS: dict[str, tuple[str, dict[str, Any]]] = {
    "Llama-3.1-8B": ("llama", WIDE | {"vocab_size": 128256}),
    "Mistral-7B": ("mistral", WIDE | {"vocab_size": 32768, "sliding_window": None}),
}
TINY = {
    "vocab_size": 512,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
PHASES = {"Phase I": (64, 124, 1), "Phase II": (32, 500, 20)}
"""Global batch, tokens and concepts an example, of the published runs with Llama."""
AT_ONCE = 4096
"""Tokens in a forward pass, about."""
ATTENTION = attention(torch.bfloat16, trained=True)
ANSWER = 10
"""Tokens of a name or an answer."""

Step = Callable[[list[Example]], Tensor]


def random_llm(kind: str, shape: dict[str, Any], device: str) -> nn.Module:
    """A frozen random LLM in bfloat16 with the published adapters, which are trained."""
    config = AutoConfig.for_model(kind, max_position_embeddings=4096, **shape)
    with torch.device(device):
        llm = AutoModelForCausalLM.from_config(
            config,
            dtype=torch.bfloat16,
            attn_implementation=ATTENTION,
        )
    llm.requires_grad_(False)
    lora = LoraSettings()
    adapters = LoraConfig(
        r=lora.r,
        lora_alpha=lora.alpha,
        lora_dropout=lora.dropout,
        target_modules="all-linear",
        task_type="CAUSAL_LM",
    )
    return get_peft_model(llm, adapters).train()


def examples(vocabulary: int, count: int, length: int, concepts: int) -> list[Example]:
    """Random prompts of `length` tokens, the answer among them; the placeholders come first."""
    rng = np.random.default_rng(0)
    found = []
    for number in range(count):
        words = rng.integers(0, vocabulary, length - concepts).tolist()
        prefix = (*[vocabulary] * concepts, *words[:-ANSWER])
        answer = tuple(words[-ANSWER:])
        cuis = tuple(f"C{number}-{i}" for i in range(concepts))
        found.append(Example(str(number), prefix, (answer,), cuis, names=(answer,) * concepts))
    return found


def ours(objective: nn.Module, network: ConceptLM) -> Step:
    """Loss of the examples by a phase's objective."""
    collate = Collator.of(network, vectors)

    def loss(rows: list[Example]) -> Tensor:
        batch = {name: value.to(network.device) for name, value in collate(rows).items()}
        return objective(**batch)["loss"]

    return loss


def plain(llm: Any) -> Step:
    """Loss of the same tokens by transformers and PEFT, without concepts, as users write it."""
    device = llm.get_input_embeddings().weight.device

    def loss(rows: list[Example]) -> Tensor:
        ids = torch.tensor([[*row.prefix, *row.branches[0]] for row in rows], device=device)
        ids = ids.clamp(max=llm.config.vocab_size - 1)
        labels = ids.clone()
        labels[:, :-ANSWER] = -100
        return llm(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels).loss

    return loss


def measure(
    loss: Step, parameters: list[nn.Parameter], rows: list[Example], steps: int
) -> tuple[float, float]:
    """Median seconds of a step, after one to warm up, and the peak of GPU memory in GiB."""
    device = parameters[0].device
    cuda = device.type == "cuda"
    micro = AT_ONCE // len(rows[0])
    optimiser = torch.optim.AdamW(parameters, lr=1e-4)
    seconds = []
    for step in range(steps + 1):
        if cuda and step == 1:
            torch.cuda.reset_peak_memory_stats()
        start = time.perf_counter()
        for first in range(0, len(rows), micro):
            part = rows[first : first + micro]
            with torch.autocast(device.type, torch.bfloat16):
                share = loss(part) * len(part) / len(rows)
            share.backward()
        nn.utils.clip_grad_norm_(parameters, 1.0)
        optimiser.step()
        optimiser.zero_grad()
        if cuda:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - start)
    peak = torch.cuda.max_memory_allocated() / 2**30 if cuda else float("nan")
    return statistics.median(seconds[1:]), peak


Run = tuple[str, bool | None, Step, list[nn.Parameter], list[Example]]
"""Name, whether it is compiled (None: not ours), loss, trained parameters, examples of a step."""


def runs(network: ConceptLM, tiny: bool) -> Iterator[Run]:
    """What is measured with one LLM; what has been compiled stays so, and comes last."""
    llm, config = network.llm, network.llm.config
    contrast = Contrast(AlignConfig(), MapperConfig(), KGE, config.hidden_size).to(network.device)
    first, second = Align(network, contrast), Answer(network, False, None)
    short, long = (
        examples(config.vocab_size, *((4, 32, 2) if tiny else sizes)) for sizes in PHASES.values()
    )
    yield "plain transformers + PEFT, as Phase II", None, plain(llm), _trained(llm), long
    yield "Phase II, not compiled", False, ours(second, network), _trained(second), long
    yield "Phase I", True, ours(first, network), _trained(first), short
    yield "Phase II", True, ours(second, network), _trained(second), long


def as_trained(network: ConceptLM, compiled: bool | None) -> AbstractContextManager:
    """The LLM as our training has it, or with gradient checkpointing alone."""
    llm = network.llm
    llm.gradient_checkpointing_disable()
    if compiled is None:
        llm.gradient_checkpointing_enable({"use_reentrant": False})
        return nullcontext()
    config = TrainingConfig(gradient_checkpointing=True, compile=compiled)
    return ready(network, config, bf16=True)


def main() -> None:
    """Measure every LLM and print a dated table."""
    parser = argparse.ArgumentParser(description="time training steps of the published sizes")
    parser.add_argument("--tiny", action="store_true", help="two narrow layers, any machine")
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    cuda = torch.cuda.is_available()
    if not (cuda or arguments.tiny):
        sys.exit("no CUDA device was found; run it on a machine with one, or give --tiny")
    device = "cuda" if cuda else "cpu"
    ceiling = matmul_ceiling(device, 8192 if cuda else 512)
    machine = torch.cuda.get_device_name() if cuda else f"CPU ({platform.machine()})"
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "transformers", "peft"))
    sys.stdout.write(
        f"{datetime.date.today()}, {machine}, {versions}, attention "
        f"{ATTENTION}; matrix ceiling {ceiling / 1e12:.3g} TFLOP/s in bfloat16"
        f"{', TINY SHAPES' if arguments.tiny else ''}\n\n"
        "| LLM | run | batch x tokens | s a step | tokens/s | MFU, % | peak GiB |\n"
        "|---|---|---|---|---|---|---|\n"
    )
    for name, (kind, shape) in LLMS.items():
        llm: Any = random_llm(kind, TINY if arguments.tiny else shape, device)
        mapper = Mapper(MapperConfig(), KGE, llm.config.hidden_size).to(device)
        network = ConceptLM(llm, mapper, llm.config.vocab_size)
        looked_up = llm.get_input_embeddings().weight.numel()
        size = sum(p.numel() for p in llm.parameters()) - looked_up
        for run, compiled, loss, parameters, rows in runs(network, arguments.tiny):
            with as_trained(network, compiled):
                step, peak = measure(loss, parameters, rows, arguments.steps)
            length = len(rows[0])
            rate = len(rows) * length / step
            sys.stdout.write(
                f"| {name} | {run} | {len(rows)} x {length} | {step:.3f} | {rate:.0f} "
                f"| {400 * size * rate / ceiling:.1f} | {peak:.1f} |\n"
            )
            sys.stdout.flush()
        # One LLM at a time fits the memory; it may hang in a cycle of references.
        del llm, network, loss, parameters
        gc.collect()
        torch.compiler.reset()
        if cuda:
            torch.cuda.empty_cache()


def _trained(module: nn.Module) -> list[nn.Parameter]:
    return [parameter for parameter in module.parameters() if parameter.requires_grad]


if __name__ == "__main__":
    main()
