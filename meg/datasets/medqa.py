"""MedQA-USMLE with four options, as published or as DRAGON's linked statements.

Raw layout (JSON lines): {"question", "options": {"A".."D"}, "answer_idx": "A".."D"}. DRAGON's:
{"id", "question": {"stem", "stem_ents", "choices": [{"label", "text", "text_ents"}]}, "answerKey"},
whose linked entities become the questions' mentions, so that `kg.link` is not needed.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError
from kg.shared.lines import json_lines
from meg.datasets.question import Mentions
from meg.datasets.settings import MedQAConfig
from meg.datasets.source import from_hub, item_id
from meg.datasets.splits import NAMES, Splits

__all__ = ["read"]

FILES = (
    "phrases_no_exclude_{}.jsonl",
    "{}.jsonl",
    "statement/{}.statement.umls_linked.jsonl",
    "{}.statement.umls_linked.jsonl",
)
WHERE = (
    "fetch MedQA from https://github.com/jind11/MedQA and put phrases_no_exclude_train.jsonl, "
    "..._dev.jsonl and ..._test.jsonl (data_clean/questions/US/4_options) into data/medqa/, or put "
    "DRAGON's folder medqa_usmle (https://github.com/michiyasunaga/dragon) there, and name that "
    "folder by path"
)
HUB_SPLITS = {"train": "train", "dev": "validation", "test": "test"}


def read(config: MedQAConfig) -> Splits:
    """The three splits as published; the hub's copy has no dev split."""
    splits = Splits()
    if config.path is None:
        parts = from_hub("GBaker/MedQA-USMLE-4-options", None, WHERE)
        for split in NAMES:
            for number, row in enumerate(parts.get(HUB_SPLITS[split], ()), 1):
                _add_raw(splits, split, f"{split}-{number}", row)
        return splits
    for split in NAMES:
        for number, row in json_lines(_file(config.path, split), "fetch it again"):
            add = _add_linked if isinstance(row.get("question"), dict) else _add_raw
            add(splits, split, f"{split}-{number}", row)
    return splits


def _file(folder: Path, split: str) -> Path:
    paths = [folder / name.format(split) for name in FILES]
    found = [path for path in paths if path.is_file()]
    if not found:
        raise InputError(
            f"{folder} has none of {', '.join(name.format(split) for name in FILES)}; {WHERE}"
        )
    return found[0]


def _add_raw(splits: Splits, split: str, id: str, row: dict[str, Any]) -> None:
    options = row.get("options")
    letter = row.get("answer_idx")
    if not isinstance(options, dict) or letter not in list(options):
        splits.reject(split, id, f"answer_idx {letter!r:.20} is not among options {options!r:.80}")
        return
    letters = sorted(options)
    splits.add(
        split,
        id,
        stem=row.get("question"),
        options=[options[letter] for letter in letters],
        answer=letters.index(letter),
    )


def _add_linked(splits: Splits, split: str, id: str, row: dict[str, Any]) -> None:
    id = item_id(row, id)
    try:
        question, key = row["question"], row["answerKey"]
        labels = [choice["label"] for choice in question["choices"]]
        options = [choice["text"] for choice in question["choices"]]
        mentions = Mentions(
            stem=_mentions(question["stem_ents"]),
            options=tuple(_mentions(choice["text_ents"]) for choice in question["choices"]),
        )
        answer = labels.index(key)
    except (KeyError, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        splits.reject(split, id, f"not a linked statement: {type(error).__name__} {reason:.200}")
        return
    splits.add(split, id, stem=question["stem"], options=options, answer=answer, mentions=mentions)


def _mentions(entities: Iterable[dict[str, Any]]) -> tuple[Mention, ...]:
    mentions = []
    for entity in entities:
        linked = entity["linking_results"]
        candidates = [Candidate(cui=one["Concept ID"], score=one["Score"]) for one in linked]
        candidates.sort(key=lambda candidate: -candidate.score)
        start, end = entity["start_char"], entity["end_char"]
        mentions.append(Mention(start=start, end=end, candidates=tuple(candidates)))
    return tuple(mentions)
