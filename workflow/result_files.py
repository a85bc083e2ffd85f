"""Every field of the files of results: a page and a JSON schema in `docs/reference/`.

python -m workflow.result_files page > docs/reference/result_files.md
python -m workflow.result_files schema > docs/reference/results.schema.json
"""

import json
import sys
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kg.evaluation.metrics import EncoderMetrics
from kg.shared.documents import Document
from meg.evaluation.prediction import RunRecord
from meg.evaluation.result import Compared, Result, SeedsResult
from meg.training.metrics import AlignMetrics, FinetuneMetrics
from workflow.reference import sections, table

__all__ = ["FILES", "page", "schema"]

FILES: dict[str, type[Document]] = {
    "`results/{dataset}_{model}.json`, `results/ablations/`, `results/seeds/each/`": Result,
    "`results/seeds/{run}.json`": SeedsResult,
    "`--out` of `meg.score compare`": Compared,
    "`results/predictions/{run}.meta.json`": RunRecord,
    "`results/kge/{kg}_{encoder}.json`": EncoderMetrics,
    "`results/align/{aligned}/metrics.json`": AlignMetrics,
    "`results/models/{run}/metrics.json`": FinetuneMetrics,
}
"""Where a file lies -> what it says."""

INTRODUCTION = """# Files of results

Each says its `format`, with the version of its fields; a file that says none is of version 1.
They are read and written by `kg/shared/documents.py`, which refuses another version and a file that
lacks a field.
[results.schema.json](results.schema.json) is their JSON schema. What the measures are:
[results.md](results.md), [encoders.md](../explanation/encoders.md).

Made from the code by `python -m workflow.result_files page > docs/reference/result_files.md`."""


def page() -> str:
    """The page: a table for each file, then one for each section that it has."""
    shown: set[type[BaseModel]] = set()
    lines = [INTRODUCTION]
    for title, kind in FILES.items():
        lines += table(title, kind, "field")
        for section in _inside(kind):
            if section not in shown:
                shown.add(section)
                lines += table(section.__name__, section, "field")
    return "\n".join(lines)


def _inside(kind: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for field in kind.model_fields.values():
        for section in sections(field.annotation):
            if not issubclass(section, Document):
                yield section
                yield from _inside(section)


def schema() -> str:
    """The JSON schema of any of the files."""
    references, found = models_json_schema(
        [(kind, "validation") for kind in FILES.values()], by_alias=True
    )
    one_of = {"anyOf": list(references.values())}
    return json.dumps(found | one_of, indent=1, sort_keys=True)


if __name__ == "__main__":
    sys.stdout.write({"page": page, "schema": schema}[sys.argv[1]]() + "\n")
