"""What a result says: the fields of the files of `meg.score` and `meg.seeds`.

Shares and accuracies are parts of 1, differences too. The measures: docs/reference/results.md.
"""

from pathlib import Path
from typing import ClassVar, Literal

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError

from kg.shared.artefact import file_digest, read_json
from kg.shared.command import Section
from kg.shared.documents import Document, read_document
from kg.shared.errors import InputError
from meg.evaluation.prediction import Prediction, RunRecord, read_predictions

__all__ = [
    "About",
    "Accuracy",
    "Compared",
    "Comparison",
    "Difference",
    "InputFile",
    "OptionCounts",
    "Result",
    "Scores",
    "SeedsResult",
    "Share",
    "Spread",
    "read_answers",
    "read_inputs",
]


class Share(Section):
    """A share of right answers with its interval."""

    accuracy: float = Field(description="share of right answers, 0 to 1")
    wilson: tuple[float, float] = Field(description="its 95% interval: Wilson's score interval")


class Accuracy(Share):
    """How many questions are answered rightly."""

    n: int = Field(description="questions")
    right: int = Field(description="those answered rightly")


class OptionCounts(Section):
    """How an option fares; it is known by its label, or by its position from 0."""

    right: int = Field(description="questions that it is right of")
    chosen: int = Field(description="questions that it is chosen of")
    both: int = Field(description="questions that it is right and chosen of")
    f1: float = Field(description="harmonic mean of its precision and recall, 0 to 1")


class Scores(Accuracy):
    """What answers to a file of questions are worth."""

    unanswered: int = Field(description="answers that could not be read; they are wrong")
    shortened: int = Field(description="questions whose context was cut to fit")
    concepts: float = Field(description="mean number of concepts injected per question")
    kinds: dict[str, Accuracy] = Field(description="by kind of question")
    macro_accuracy: float = Field(description="mean over kinds of their accuracy")
    classes: dict[str, OptionCounts] = Field(description="by option")
    position_bias: float = Field(
        description="total variation, 0 to 1, between how often options are chosen and are right"
    )
    macro_f1: float | None = Field(
        None,
        description="mean of f1 over the options that are right somewhere; null: questions differ "
        "in their options",
    )
    calibration_error: float | None = Field(
        None, description="expected calibration error, 0 to 1; null: some question has no scores"
    )


class Difference(Share):
    """A run against another one, whose accuracy this is, on the same questions."""

    difference: float = Field(description="the run's accuracy less the other's, -1 to 1")
    interval: tuple[float, float] = Field(
        description="95% interval of the difference: Tango's score interval"
    )
    gained: int = Field(description="questions that the run alone answers rightly")
    lost: int = Field(description="questions that the other alone answers rightly")
    mcnemar_p: float = Field(description="p of McNemar's exact two-sided test")


class Comparison(Difference):
    """The same with where the other run comes from."""

    run: RunRecord = Field(description="how the other was made")
    digest: str = Field(description="SHA-256 of its predictions")


class InputFile(Section):
    """A user's file as it was read: its SHA-256, or its time where it is too large to be read."""

    bytes: int = Field(description="its size")
    sha256: str | None = Field(None, description="of its content; null: a file over 64 MiB")
    modified_ns: int | None = Field(None, description="its time, ns since 1970; null: see sha256")


class About(Section):
    """What run a result is of, as it was told; a field more is kept as it is."""

    model_config = ConfigDict(extra="allow")

    dataset: str | None = Field(None, description="data set that is answered")
    model: str | None = Field(None, description="name of the LLM")
    variant: str | None = Field(None, description="main, or what it is called")
    encoder: str | None = Field(None, description="graph encoder of the vectors")
    trained_on: str | None = Field(None, description="data set of Phase II")
    seed: int | None = Field(None, description="of the trainings")


class Result(Scores, Document):
    """What `meg.score run` writes of a run."""

    made_by: ClassVar[str] = "meg.score run"

    format: Literal["meg-result-1"] = Field("meg-result-1", description="of the file")
    about: About = Field(description="what run it is of")
    comparisons: dict[str, Comparison] = Field(description="against other runs, by their name")
    run: RunRecord = Field(description="how the predictions were made")
    predictions: Path = Field(description="the file that was scored, from where it was")
    digest: str = Field(description="SHA-256 of that file")
    inputs: dict[str, dict[str, InputFile]] = Field(
        {},
        description="users' files that the run was made from, by folder/name, of the graph and of "
        "each data set; empty: not recorded, or it took none",
    )


class Compared(Scores, Document):
    """What `meg.score compare --out` writes: the scores of the first run, and the others."""

    made_by: ClassVar[str] = "meg.score compare"

    format: Literal["meg-comparison-1"] = Field("meg-comparison-1", description="of the file")
    runs: list[Path] = Field(description="results or predictions that were compared")
    comparisons: dict[str, Difference] = Field(description="against the others, by their name")


class Spread(Section):
    """A measure over several trainings."""

    mean: float = Field(description="over the seeds")
    standard_deviation: float = Field(description="that of a sample (n - 1)")
    values: list[float] = Field(description="in the order of the seeds")


class SeedsResult(Document):
    """What `meg.seeds` writes of one run with several seeds."""

    made_by: ClassVar[str] = "meg.seeds"

    format: Literal["meg-seeds-1"] = Field("meg-seeds-1", description="of the file")
    about: About = Field(description="what the runs have in common")
    seeds: list[int] = Field(description="of the trainings")
    n: int = Field(description="questions")
    accuracy: Spread = Field(description="share of right answers, 0 to 1")
    macro_accuracy: Spread = Field(description="mean over kinds of question of that share")
    differences: dict[str, Spread] = Field(
        description="accuracy less that of a compared run of the same seed, by that run's name"
    )
    results: dict[str, str] = Field({}, description="SHA-256 of each result, by its file")


def read_inputs(path: Path) -> dict[str, InputFile]:
    """An inputs.json of the workflow: the users' files that a graph or questions were made from.

    Raises InputError for another file.
    """
    values = read_json(path, "run the workflow again")
    try:
        return TypeAdapter(dict[str, InputFile]).validate_python(values)
    except ValidationError as error:
        raise InputError(
            f"{path} does not say which files were read: {error.errors()[0]['msg']}; name the "
            "inputs.json of a graph or of questions"
        ) from error


def read_answers(path: Path) -> list[Prediction]:
    """Predictions of a JSON-lines file, or those that a result (.json) of meg.score was made of.

    A result names its predictions as the scoring run saw them: from its working directory, which
    is looked for here and in the folders above the result. Raises InputError where they are
    missing or are not those that were scored.
    """
    if path.suffix != ".json":
        return read_predictions(path)
    result = read_document(path, Result)
    folders = (Path(), *path.absolute().parents)
    files = (folder / result.predictions for folder in folders)
    found = next((file for file in files if file.is_file()), None)
    if found is None:
        raise InputError(
            f"the predictions of {path} are not at {result.predictions}; give their file instead"
        )
    if file_digest(found) != result.digest:
        raise InputError(f"{found} has changed since {path} was made of it; score it again")
    return read_predictions(found)
