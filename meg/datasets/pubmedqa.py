"""PubMedQA, labelled part: is a title's question answered yes, no or maybe by the abstract?

File layout: one JSON object, PubMed id -> {"QUESTION", "CONTEXTS", "final_decision", ...}.
"""

from pathlib import Path
from typing import Any

import numpy as np

from kg.shared.errors import InputError
from kg.shared.lines import json_object
from meg.datasets.settings import PubMedQAConfig
from meg.datasets.source import from_hub
from meg.datasets.splits import Splits

__all__ = ["OPTIONS", "read"]

OPTIONS = ("yes", "no", "maybe")

MEG_SEED = 42
"""MEG's split shuffles the ids, in the file's order, with this seed (published code)."""

QUESTIONS, TRAIN = 1000, 500
"""In both splits; of a file of another size MEG's shuffle would be another."""

WHERE = (
    "fetch ori_pqal.json (and test_ground_truth.json for the official split) from "
    "https://github.com/pubmedqa/pubmedqa/tree/master/data, put them into data/pubmedqa/ and "
    "name them by path (and test_ids)"
)


def read(config: PubMedQAConfig) -> Splits:
    """The questions in the split that the config names; dev is drawn from the training ones."""
    rows = _rows(config.path)
    test = _official_test(config.test_ids, rows) if config.split == "official" else _meg_test(rows)
    pool = [id for id in rows if id not in test]
    drawn = np.random.default_rng(config.seed).permutation(len(pool))[: config.dev]
    dev = {pool[i] for i in drawn}
    splits = Splits()
    for id, row in rows.items():
        split = "test" if id in test else "dev" if id in dev else "train"
        _add(splits, split, id, row)
    return splits


def _add(splits: Splits, split: str, id: str, row: dict[str, Any]) -> None:
    decision = row.get("final_decision")
    if decision not in OPTIONS:
        splits.reject(split, id, f"final_decision: expected one of {OPTIONS}, got {decision!r:.80}")
        return
    contexts = row.get("CONTEXTS")
    texts = contexts if isinstance(contexts, list) else []
    if not texts or not all(isinstance(text, str) and text.strip() for text in texts):
        splits.reject(split, id, f"CONTEXTS: expected texts, got {contexts!r:.80}")
        return
    splits.add(
        split,
        id,
        stem=row.get("QUESTION"),
        context="\n".join(texts),
        options=OPTIONS,
        answer=OPTIONS.index(decision),
    )


def _rows(path: Path | None) -> dict[str, dict[str, Any]]:
    if path is None:
        hub = from_hub("qiaojin/PubMedQA", "pqa_labeled", WHERE)["train"]
        return {
            str(row["pubid"]): {
                "QUESTION": row["question"],
                "CONTEXTS": list(row["context"]["contexts"]),
                "final_decision": row["final_decision"],
            }
            for row in hub
        }
    rows = json_object(path, WHERE)
    wrong = [id for id, row in rows.items() if not isinstance(row, dict)]
    if wrong or len(rows) != QUESTIONS:
        raise InputError(
            f"{path} has {len(rows)} entries, {len(wrong)} of them no objects; expected the 1,000 "
            f"questions of ori_pqal.json; {WHERE}"
        )
    return rows


def _meg_test(rows: dict[str, Any]) -> set[str]:
    ids = list(rows)
    order = np.random.default_rng(MEG_SEED).permutation(len(ids))
    return {ids[i] for i in order[TRAIN:]}


def _official_test(path: Path | None, rows: dict[str, dict[str, Any]]) -> set[str]:
    if path is None or not path.is_file():
        raise InputError(f"the official split needs test_ground_truth.json, got {path}; {WHERE}")
    truth = json_object(path, WHERE)
    wrong = [id for id in truth if id not in rows or rows[id].get("final_decision") != truth[id]]
    if wrong:
        raise InputError(
            f"{path}: {len(wrong)} of {len(truth)} test ids are not among the {len(rows)} "
            f"questions or are answered otherwise there (first {wrong[0]}); are both files of one "
            "version?"
        )
    return set(truth)
