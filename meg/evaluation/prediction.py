"""What a model answered to a question: one JSON line, written by `meg.predict`.

Beside `x.jsonl` lies `x.meta.json`, the run behind the predictions (config, digests, versions,
hardware, seconds), which `meg.score` copies into the result.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from pydantic import Field, FiniteFloat, model_validator

from kg.shared.artefact import file_digest, read_json, replacing, write_json
from kg.shared.errors import InputError
from kg.shared.lines import Identified, model_lines

__all__ = [
    "Prediction",
    "read_answers",
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


def read_predictions(path: Path) -> list[Prediction]:
    """Predictions of a JSON-lines file.

    Raises InputError with file, line and reason on a bad line, an id that stands twice, no line.
    """
    predictions = list(model_lines(path, Prediction, "make it with meg.predict"))
    if not predictions:
        raise InputError(f"{path} holds no prediction; run meg.predict again")
    return predictions


def read_answers(path: Path) -> list[Prediction]:
    """Predictions of a JSON-lines file, or those that a result (.json) of meg.score was made of.

    A result names its predictions as the scoring run saw them: from its working directory, which
    is looked for here and in the folders above the result. Raises InputError where they are
    missing or are not those that were scored.
    """
    if path.suffix != ".json":
        return read_predictions(path)
    if not path.is_file():
        raise InputError(f"{path} does not exist; make it with meg.score")
    result = read_json(path)
    if not isinstance(result, dict) or "predictions" not in result:
        raise InputError(f"{path} does not name its predictions; make it again with meg.score run")
    named = result["predictions"]
    folders = (Path(), *path.absolute().parents)
    found = next((folder / named for folder in folders if (folder / named).is_file()), None)
    if found is None:
        raise InputError(f"the predictions of {path} are not at {named}; give their file instead")
    if file_digest(found) != result["digest"]:
        raise InputError(f"{found} has changed since {path} was made of it; score it again")
    return read_predictions(found)


def write_predictions(path: Path, predictions: Iterable[Prediction]) -> None:
    """Write a JSON-lines file, one prediction a line."""
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8", newline="\n") as file:
        for prediction in predictions:
            file.write(prediction.model_dump_json() + "\n")


def read_run(predictions: Path) -> dict[str, Any]:
    """The run behind a predictions file, {} where meg.predict left no record of it."""
    path = _run_path(predictions)
    return read_json(path) if path.is_file() else {}


def write_run(predictions: Path, run: dict[str, Any]) -> None:
    """Write the run behind a predictions file beside it."""
    write_json(_run_path(predictions), run)


def _run_path(predictions: Path) -> Path:
    return predictions.with_suffix(".meta.json")
