"""Continuations of a context as the lm-evaluation-harness compares them.

By the log-likelihood of their tokens; of a checkpoint that was trained for a verdict by that of Yes
against No behind each of them.
"""

import re
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from meg.model.batch import Batch
from meg.model.scores import option_scores

__all__ = ["Likelihood", "as_claims", "likelihoods"]

Likelihood = tuple[float, bool]
"""Log-likelihood of a continuation, and whether it is what the LLM would write by itself; of a
verdict, whether that is Yes."""

LETTER = re.compile("[A-Z]")


def likelihoods(logits: Tensor, batch: Batch, verdicts: tuple[int, int] | None) -> list[Likelihood]:
    """One a branch, from the logits (target, vocab) at `logits_at`; `verdicts`: ids of Yes, No."""
    scores = option_scores(logits, batch, verdicts)
    if verdicts is not None:
        return list(zip(F.logsigmoid(scores).tolist(), (scores > 0).tolist(), strict=True))
    tokens = torch.bincount(batch["branch"])
    missed = batch["branch"][logits.argmax(-1) != batch["targets"]]
    greedy = torch.bincount(missed, minlength=len(tokens)) == 0
    return list(zip((scores * tokens).tolist(), greedy.tolist(), strict=True))


def as_claims(options: Sequence[str]) -> list[str]:
    """Options as a model of verdicts is asked about them; a letter alone names none."""
    if all(LETTER.fullmatch(option.strip()) for option in options):
        raise ValueError(
            f"the task asks for letters ({', '.join(options)}), and the checkpoint was trained to "
            "judge an option's text by Yes or No (prompt.answer yesno); take a task whose choices "
            "are texts, such as pubmedqa, or a checkpoint with prompt.answer letter"
        )
    # An empty one stays so, to be refused.
    return [option and f"{option}?" for option in options]
