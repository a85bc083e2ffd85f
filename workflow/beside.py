"""Answers beside a run's own: of similarities without an LLM, and of several scores together."""

from collections.abc import Sequence

from workflow.plan import Run
from workflow.sections import MAIN, OWN, TOGETHER, Similarity, together

__all__ = ["beside", "parts"]


def beside(run: Run, similarities: Sequence[Similarity]) -> dict[str, str]:
    """Name -> predictions that the result of a main run is compared with; none for a variant's."""
    if run.variant != MAIN:
        return {}
    alone = {one: _answers(run, one, "test") for one in similarities}
    trained = run.checkpoint == "finetune"
    added = [name for name in together(similarities) if trained or OWN not in TOGETHER[name]]
    return alone | {name: f"results/combined/{run.name}/{name}.jsonl" for name in added}


def parts(run: Run, name: str, split: str) -> list[str]:
    """Files of the answers whose scores are added, those of the run itself first."""
    return [_answers(run, part, split) for part in TOGETHER[name]]


def _answers(run: Run, part: str, split: str) -> str:
    """File of a similarity's answers, or the run's; that of vectors takes the run's encoder."""
    if part == OWN:
        folder = "results/predictions" if split == "test" else f"results/predictions/{split}"
        return f"{folder}/{run.name}.jsonl"
    method = f"{part}/{run.encoder}" if part == "vectors" else part
    return f"results/similarity/{run.dataset}/{method}/{split}.jsonl"
