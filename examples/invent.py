"""An invented animal medicine, the graph of config/own.yaml: every word of it is made up.

    python examples/invent.py examples/animals

Diseases fall into families. What a family has in common (findings, drugs, causes, species, parts
of the body) most of its diseases have, so that a disease's neighbours tell of it. Same seed, same
bytes.
"""

import random
import sys
from pathlib import Path

SEED = 7
FAMILIES = 20

COUNTS = {"disease": 160, "finding": 110, "drug": 80, "cause": 60, "species": 40, "part": 36}
"""Concepts of each type, beside the families themselves."""

ENDINGS = {
    "family": ["aceae"],
    "disease": ["osis", "itis", "pox", "ema", "fever", "rot"],
    "finding": ["algia", "ness", "spots", "gait", "cough", "ing"],
    "drug": ["ine", "ol", "amide", "salve", "ate"],
    "cause": ["us", "ella", "worm", "mite", "ium"],
    "species": ["o", "ak", "ling", "ox", "hen"],
    "part": ["um", "gland", "joint", "is"],
}

FACTS = [
    ("has_finding", "disease", "finding", 7, 9),
    ("treats", "drug", "disease", 3, 4),
    ("causes", "cause", "disease", 2, 3),
    ("affects", "disease", "species", 3, 4),
    ("occurs_in", "disease", "part", 3, 4),
]
"""Relation, types of its ends, facts of a disease, what a family has in common."""

STRAY = 0.08
"""Of a disease's facts so many are not of its family."""


def words(rng: random.Random, counts: dict[str, int]) -> dict[str, list[str]]:
    """Names by type, no two of which begin alike."""
    taken: set[str] = set()
    names: dict[str, list[str]] = {}
    for kind, count in counts.items():
        names[kind] = []
        while len(names[kind]) < count:
            stem = "".join(rng.choice("bdfgklmnprstvz") + rng.choice("aeiou") for _ in range(3))
            stem = stem[: rng.choice((5, 6))]
            if stem[:5] not in taken:
                taken.add(stem[:5])
                ending = rng.choice(ENDINGS[kind])
                between = " " if ending in ("fever", "rot", "spots", "gait", "gland") else ""
                names[kind].append(stem + between + ending)
    return names


def facts(rng: random.Random) -> list[tuple[str, str, str, str, str]]:
    """(type, number) of the head, relation, (type, number) of the tail, without repeats."""
    found: dict[tuple[str, int, str, str, int], None] = {}
    common = {
        (family, relation): rng.sample(range(COUNTS[other(head, tail)]), size)
        for relation, head, tail, _, size in FACTS
        for family in range(FAMILIES)
    }
    for disease in range(COUNTS["disease"]):
        family = disease % FAMILIES
        found["disease", disease, "is_a", "family", family] = None
        for relation, head, tail, number, _ in FACTS:
            kind = other(head, tail)
            for usual in rng.sample(common[family, relation], number):
                stray = rng.random() < STRAY
                end = rng.randrange(COUNTS[kind]) if stray else usual
                ends = (disease, end) if head == "disease" else (end, disease)
                found[head, ends[0], relation, tail, ends[1]] = None
    return list(found)


def other(head: str, tail: str) -> str:
    """The type that is not the disease's."""
    return tail if head == "disease" else head


def main(folder: Path) -> None:
    """Write edges.tsv and nodes.tsv."""
    rng = random.Random(SEED)
    names = words(rng, {"family": FAMILIES, **COUNTS})
    synonyms = words(random.Random(SEED + 1), dict.fromkeys(names, 40))
    ids: dict[tuple[str, int], str] = {}
    lines = ["id\tname\ttype\tsynonyms"]
    known = {name for own in names.values() for name in own}
    for kind, own in names.items():
        for number, name in enumerate(own):
            ids[kind, number] = f"AM:{len(ids) + 1:04}"
            again = synonyms[kind][number] if number < 40 and number % 2 else ""
            again = "" if again in known else again
            lines.append(f"{ids[kind, number]}\t{name}\t{kind}\t{again}")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "nodes.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    rows = [f"{ids[a, i]}\t{relation}\t{ids[b, j]}" for a, i, relation, b, j in facts(rng)]
    (folder / "edges.tsv").write_text("\n".join(["head\trelation\ttail", *rows]) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
