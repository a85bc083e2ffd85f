"""An answer with the concepts that it was given, and which links are good enough to be given."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from kg.linking.mention import Mention
from meg.model.trained import Trained

__all__ = ["Answer", "Used", "scored", "used_concepts", "verdict"]

LEAST_SCORE = 0.01
"""Of a link: a text that is nothing but a name is linked however rarely the name is a mention."""

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Used:
    """A concept whose vector was injected, and the words that named it."""

    cui: str
    words: str
    score: float


@dataclass(frozen=True)
class Answer:
    """What the model answered; `scores`, one an option, where it was given options."""

    text: str
    concepts: tuple[Used, ...]
    scores: tuple[float, ...] = ()
    probability: float | None = None
    """Of one option: that it is right, were as many right as wrong; None: not calibrated."""

    def __str__(self) -> str:
        return self.text


def used_concepts(cuis: Sequence[str], linked: Mapping[str, Sequence[Mention]]) -> tuple[Used, ...]:
    """The concepts, in the prompt's order, each with the first words that name it."""
    named: dict[str, Used] = {}
    for text, mentions in linked.items():
        for mention in mentions:
            for candidate in mention.candidates:
                words = text[mention.start : mention.end]
                named.setdefault(candidate.cui, Used(candidate.cui, words, candidate.score))
    return tuple(named[cui] for cui in cuis)


def scored(mentions: Sequence[Mention], text: str) -> list[Mention]:
    """The mentions without candidates whose score is next to nothing; those that lose all go."""
    kept = []
    for mention in mentions:
        likely = tuple(one for one in mention.candidates if one.score >= LEAST_SCORE)
        if likely:
            kept.append(replace(mention, candidates=likely))
        else:
            words = text[mention.start : mention.end]
            log.info("%r is not injected: its link's score is under %s", words, LEAST_SCORE)
    return kept


def verdict(score: float, used: tuple[Used, ...], trained: Trained | None) -> Answer:
    """Whether one option is right; uncalibrated, by whether Yes is likelier than No."""
    calibration = None if trained is None else trained.calibration
    if calibration is None:
        log.warning(
            "the checkpoint holds no calibration (meg.finetune --dev): yes or no is by the score's "
            "sign, without a probability"
        )
        return Answer("yes" if score > 0 else "no", used, (score,))
    probability = calibration.probability(score)
    return Answer("yes" if probability >= 0.5 else "no", used, (score,), probability)
