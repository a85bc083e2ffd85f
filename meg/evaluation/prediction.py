"""What a model answered to a question: one JSON line, written by `meg.predict`.

Beside `x.jsonl` lies `x.meta.json`, how they were made (`RunRecord`), which `meg.score` copies into
the result.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import ConfigDict, Field, FiniteFloat, model_validator

from kg.shared.artefact import replacing
from kg.shared.command import Section
from kg.shared.documents import Document, read_document, write_document
from kg.shared.errors import InputError
from kg.shared.lines import Identified, model_lines

__all__ = [
    "Digests",
    "Hardware",
    "Prediction",
    "RunRecord",
    "read_predictions",
    "read_run",
    "write_predictions",
    "write_run",
]


class Prediction(Identified):
    """One answered question; `prediction` is None where no answer could be read from the text."""

    kind: str = ""
    answer: int = Field(ge=0)
    """The right option."""
    prediction: int | None = Field(ge=0)
    scores: tuple[FiniteFloat, ...] | None = None
    """One log-likelihood (up to a constant) an option; their softmax is the confidence."""
    concepts: tuple[str, ...] = ()
    """cuis whose vectors were injected, in the prompt's order."""
    shortened: bool = False
    """Whether the context had to be cut to fit."""
    text: str = ""
    """What the model wrote, where it wrote."""

    @property
    def right(self) -> bool:
        """Whether the right option was chosen; an answer that could not be read is wrong."""
        return self.prediction == self.answer

    @model_validator(mode="after")
    def _consistent(self) -> "Prediction":
        chosen = max(self.answer, self.prediction or 0)
        if self.scores is not None and chosen >= len(self.scores):
            raise ValueError(f"option {chosen} of {len(self.scores)} scores")
        return self


class Digests(Section):
    """SHA-256 of what was read."""

    questions: str = Field(description="file of questions")
    store: str | None = Field(description="store of vectors; null: none was read")
    concepts: str | None = Field(description="the concepts that the store's vectors are of")


class Hardware(Section):
    """What a model ran on."""

    machine: str = Field(description="kind of processor")
    gpu: str | None = Field(description="name of the GPU; null: none")
    device: str = Field(description="of the LLM, as PyTorch names it")
    dtype: str = Field(description="number format of the LLM")


class RunRecord(Document):
    """`x.meta.json`: how predictions were made. The command's options stand beside these fields."""

    made_by: ClassVar[str] = "meg.predict"
    model_config = ConfigDict(extra="allow")

    format: Literal["meg-run-1"] = Field("meg-run-1", description="of the file")
    labels: tuple[str, ...] = Field(
        (), description="options of every question; empty: questions differ in them"
    )
    prompt_version: str | None = Field(None, description="digest of the words around a question")
    digests: Digests | None = Field(None, description="of the files; null: not recorded")
    versions: dict[str, str] = Field({}, description="by package")
    hardware: Hardware | None = Field(None, description="null: not recorded")
    seconds: float | None = Field(None, description="from the command's start to the last answer")


def read_predictions(path: Path) -> list[Prediction]:
    """Predictions of a JSON-lines file.

    Raises InputError with file, line and reason on a bad line, an id that stands twice, no line.
    """
    predictions = list(model_lines(path, Prediction, "make it with meg.predict"))
    if not predictions:
        raise InputError(f"{path} holds no prediction; run meg.predict again")
    return predictions


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write a JSON-lines file, one prediction a line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for prediction in predictions:
            file.write(prediction.model_dump_json() + "\n")


def read_run(predictions: Path) -> RunRecord:
    """How a predictions file was made; an empty record where none lies beside it."""
    path = _run_path(predictions)
    return read_document(path, RunRecord) if path.is_file() else RunRecord()


def write_run(predictions: Path, command: dict[str, Any], **made: Any) -> None:
    """Write beside a predictions file how it was made: the command's options, and fields of
    `RunRecord`."""
    write_document(_run_path(predictions), RunRecord.model_validate(command | made))


def _run_path(predictions: Path) -> Path:
    return predictions.with_suffix(".meta.json")
