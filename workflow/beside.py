"""Answers that stand beside a run's own: of similarities without an LLM, and both together."""

from collections.abc import Sequence

from workflow.plan import Run
from workflow.sections import MAIN, Similarity, added

__all__ = ["ADDED", "beside", "similar"]

ADDED: tuple[Similarity, ...] = ("information", "vectors")
"""Similarities whose scores are added to a trained model's."""


def beside(run: Run, similarities: Sequence[Similarity]) -> dict[str, str]:
    """Name -> predictions that the result of a main run is compared with; none for a variant's."""
    if run.variant != MAIN:
        return {}
    alone: dict[str, str] = {one: similar(run, one, "test") for one in similarities}
    if run.checkpoint != "finetune":
        return alone
    together = [one for one in ADDED if one in similarities]
    return alone | {added(one): f"results/combined/{run.name}/{one}.jsonl" for one in together}


def similar(run: Run, similarity: str, split: str) -> str:
    """File of a similarity's answers; that of vectors takes the run's encoder."""
    method = f"{similarity}/{run.encoder}" if similarity == "vectors" else similarity
    return f"results/similarity/{run.dataset}/{method}/{split}.jsonl"
