"""The language side of MEG: questions, the model, its two training phases, evaluation."""

from typing import Any

__all__ = ["MEG"]


def __getattr__(name: str) -> Any:
    """`from meg import MEG`, without loading torch for those who only read a configuration."""
    if name == "MEG":
        from meg.pretrained import MEG  # noqa: PLC0415

        return MEG
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
