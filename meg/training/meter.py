"""How fast and how full: tokens per second, share of the GPU's matrix peak, memory."""

import time

import torch

__all__ = ["Meter", "matmul_ceiling"]

CEILING_SIZE = 8192
"""Rows and columns of the product that measures a GPU's peak."""


class Meter:
    """Counts what a process trains on between two lines of the log.

    A token costs 2 FLOPs a parameter forwards and as many backwards for the activations'
    gradients; a frozen weight has no gradient of its own, and recomputed activations do not count
    (PaLM, arXiv 2204.02311, appendix B). The ceiling is measured, not the data sheet's.
    """

    def __init__(self, parameters: int, devices: int) -> None:
        self.flops = 4 * parameters
        self.devices = devices
        self.ceiling = matmul_ceiling() if torch.cuda.is_available() else None
        self.tokens = 0
        self.since = time.monotonic()

    def add(self, tokens: int) -> None:
        """A batch of this many tokens, padding not counted, goes through the model."""
        self.tokens += tokens

    def read(self) -> dict[str, float]:
        """Rates since the last reading: of all devices, as if each had as many tokens."""
        now = time.monotonic()
        rate = self.tokens / max(now - self.since, 1e-9)
        self.tokens, self.since = 0, now
        found = {"tokens_per_second": round(rate * self.devices, 1)}
        if self.ceiling is not None:
            found["mfu"] = round(rate * self.flops / self.ceiling, 4)
            found["peak_gib"] = round(torch.cuda.max_memory_allocated() / 2**30, 2)
        return found


def matmul_ceiling(
    device: str = "cuda", size: int = CEILING_SIZE, repeats: int = 20, warm_up: int = 3
) -> float:
    """FLOPs a second of a bfloat16 product of two square matrices of `size` rows."""
    left = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    for turn in range(warm_up + repeats):
        if turn == warm_up:
            _wait(device)
            start = time.perf_counter()
        left @ left
    _wait(device)
    return 2 * size**3 * repeats / (time.perf_counter() - start)


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()
