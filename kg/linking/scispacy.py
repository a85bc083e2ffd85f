"""scispaCy's UMLS linker behind the same interface, for the published grounding (optional).

scispaCy and its models are not installed with this package: see https://allenai.github.io/scispacy.
"""

from collections.abc import Callable, Container
from typing import Any

from kg.linking.mention import Candidate, Mention
from kg.shared.errors import InputError

__all__ = ["ScispacyLinker", "load_scispacy"]

THRESHOLD = 0.9
"""Of the published runs; every candidate above it is kept."""


class ScispacyLinker:
    """Mentions of a spaCy pipeline whose entities carry `kb_ents`, kept to a vocabulary."""

    def __init__(self, pipeline: Callable[[str], Any], cuis: Container[str]) -> None:
        self.pipeline = pipeline
        self.cuis = cuis

    def link(self, text: str, beside: str = "") -> list[Mention]:
        """Mentions in `text`, sorted, without overlap; entities without a known cui are dropped.

        What stands `beside` it changes nothing.
        """
        mentions = []
        for entity in sorted(self.pipeline(text).ents, key=lambda entity: entity.start_char):
            found = [(cui, float(score)) for cui, score in entity._.kb_ents if cui in self.cuis]
            candidates = tuple(
                Candidate(cui=cui, score=min(score, 1.0))
                for cui, score in sorted(found, key=lambda item: (-item[1], item[0]))
            )
            if candidates:
                mentions.append(
                    Mention(start=entity.start_char, end=entity.end_char, candidates=candidates)
                )
        return mentions


def load_scispacy(model: str, cuis: Container[str]) -> ScispacyLinker:
    """A model such as `en_core_sci_sm` with abbreviations and the UMLS linker."""
    try:
        import scispacy.abbreviation  # noqa: PLC0415
        import scispacy.linking  # noqa: F401, PLC0415
        import spacy  # noqa: PLC0415

        pipeline = spacy.load(model)
    except (ImportError, OSError) as error:
        raise InputError(
            f"scispaCy's model {model} cannot be loaded ({error}); install scispacy and the model "
            "as its page says, or leave --scispacy away to link by the dictionary"
        ) from error
    pipeline.add_pipe("abbreviation_detector")
    options = {"resolve_abbreviations": True, "linker_name": "umls", "threshold": THRESHOLD}
    pipeline.add_pipe("scispacy_linker", config=options)
    return ScispacyLinker(pipeline, cuis)
