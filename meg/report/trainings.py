"""The trainings of both phases, and what every job took."""

from kg.shared.documents import Document, read_document
from meg.report.contents import Contents, Row, flat, read_history, read_runtimes
from meg.report.figures import Curve, curves, history_curve
from meg.report.page import Part, Table
from meg.training.metrics import AlignMetrics, FinetuneMetrics

__all__ = ["runtimes", "trainings"]

PHASES: tuple[tuple[str, str, type[Document]], ...] = (
    ("Phase I", "align", AlignMetrics),
    ("Phase II", "finetune", FinetuneMetrics),
)
"""Title, field of a run's files, and what its metrics.json says."""


def trainings(contents: Contents) -> Part:
    """Losses, name retrieval and closing measures of both phases, a checkpoint once."""
    figures, tables = [], []
    for title, field, kind in PHASES:
        folders = dict.fromkeys(getattr(run, field) for run in contents.runs if getattr(run, field))
        panels: dict[str, list[Curve]] = {}
        for folder in folders:
            panels |= _panels(f"{title}, {folder.name}", read_history(folder))
        if panels:
            figures.append(curves(panels, "step"))
        measured = {f.name: read_document(f / "metrics.json", kind) for f in folders}
        rows = [
            {"model": name} | flat(one.model_dump(by_alias=True, exclude={"format"}))
            for name, one in measured.items()
        ]
        tables.append(Table(rows, title))
    text = (
        "Training losses by optimiser step. Beside Phase I's, name retrieval: the share of mapped "
        "vectors that are nearest to their own concept's name (top 1), or have it among the ten "
        "nearest; at step 0 the mapper alone has been trained. That first training is for this "
        "measure alone; behind it the largest loss is that of the name as the LLM writes it, so "
        "that name retrieval may fall while the LLM learns to read the vectors."
    )
    return Part("Training", text, figures, tables)


def _panels(title: str, history: list[Row]) -> dict[str, list[Curve]]:
    """The phase's losses and, where it was logged, name retrieval."""
    rows = [row for row in history if "stage" not in row and "loss" in row]
    if not rows:
        return {}
    losses = [name for name in rows[0] if name.startswith("loss")]
    panels = {title: [history_curve(rows, name, "step") for name in losses]}
    if "top1" in rows[0]:
        alone = [row | {"step": 0} for row in history if row.get("stage") == "mapper"][-1:]
        panels[f"{title}: name retrieval"] = [
            history_curve(alone + rows, name, "step") for name in ("top1", "top10")
        ]
    return panels


def runtimes(contents: Contents) -> Part:
    """What Snakemake measured of every job, the longest first."""
    rows = read_runtimes(contents.runtimes)
    total = sum(row["minutes"] for row in rows)
    text = f"{total:.1f} minutes in all, one job after another; memory is the largest resident set."
    return Part("Runtimes", text, (), [Table(sorted(rows, key=lambda row: -row["minutes"]))])
