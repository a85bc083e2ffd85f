"""A sample of the mentions in grounded questions, to judge by eye (docs/explanation/linking.md).

    python benchmarks/linking_sample.py --concepts concepts.parquet --count 50 grounded/test.jsonl

Tab-separated: the question's id, the words with those around, the concept's name, its id. A mention
is drawn by the hash of its place and concept, so two linkers' samples share what both have found.
"""

import hashlib
import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.graph.tables import read_concepts
from kg.linking.records import read_records
from kg.shared.command import Command, main

AROUND = 60
"""Characters shown on each side."""


class Sample(Command):
    """Draw mentions from grounded questions."""

    concepts: Path = Field(description="concepts.parquet, for the names")
    count: int = Field(100, ge=1, description="mentions drawn, of all files together")
    seed: int = Field(0, ge=0, description="another sample")
    grounded: CliPositionalArg[list[Path]] = Field(description="JSON lines of `kg.link run`")

    def run(self) -> None:
        """Write the sample to the standard output."""
        table = read_concepts(self.concepts)
        names = dict(zip(table["cui"], table["name"], strict=True))
        drawn: list[tuple[str, str]] = []
        for path in self.grounded:
            for place, words, cui in _mentions(path):
                key = hashlib.sha256(f"{self.seed} {place} {cui}".encode()).hexdigest()
                drawn.append((key, f"{place}\t{words}\t{names[cui]}\t{cui}\n"))
        sys.stdout.writelines(row for _, row in sorted(drawn)[: self.count])


def _mentions(path: Path) -> Iterator[tuple[str, str, str]]:
    """Place, marked words and best cui of each mention."""
    for record in read_records(path):
        found = record["mentions"]
        texts = [record["stem"], record.get("context", ""), *record["options"]]
        parts = [found["stem"], found["context"], *found["options"]]
        for part, (text, mentions) in enumerate(zip(texts, parts, strict=True)):
            for mention in mentions:
                start, end = mention["start"], mention["end"]
                before, after = text[max(0, start - AROUND) : start], text[end : end + AROUND]
                words = " ".join(f"{before}[[{text[start:end]}]]{after}".split())
                place = f"{record['id']}/{part}/{start}-{end}"
                yield place, words, mention["candidates"][0]["cui"]


if __name__ == "__main__":
    main(Sample, sys.argv[1:])
