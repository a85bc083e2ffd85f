"""Questions of the user's own, in the schema of `meg.datasets.question`.

JSON lines: {"id", "stem", "context", "options": [...], "answer", "kind"}, the answer being the
right option's number, from 0; `id`, `context` and `kind` may be left out. `mentions` are kept.
"""

from kg.shared.errors import InputError
from kg.shared.lines import json_lines
from meg.datasets.settings import FileConfig
from meg.datasets.source import item_id
from meg.datasets.splits import NAMES, Splits

__all__ = ["read"]

LAYOUT = "docs/reference/questions.md says what a line holds"


def read(config: FileConfig) -> Splits:
    """The splits that are there; a data set that is only asked needs test.jsonl alone."""
    splits = Splits()
    paths = {split: config.path / f"{split}.jsonl" for split in NAMES}
    if not paths["test"].is_file():
        raise InputError(
            f"{paths['test']} does not exist; put train.jsonl, test.jsonl and, if you have one, "
            f"dev.jsonl into the folder; {LAYOUT}"
        )
    for split, path in paths.items():
        if not path.is_file():
            continue
        for number, row in json_lines(path, LAYOUT):
            fields = {name: value for name, value in row.items() if name != "id"}
            splits.add(split, item_id(row, f"{split}-{number}"), **fields)
    return splits
