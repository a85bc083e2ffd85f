"""A question in the terminal: the answer, and the concepts whose vectors the model was given.

python -m meg.ask --checkpoint results/models/hpoquiz_smollm_options \\
    "Which of these is a finding in Marfan syndrome?" --option Arachnodactyly --option Deafness
"""

import sys
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg

from kg.shared.command import Command, main
from meg.inference.pretrained import MAX_NEW_TOKENS, MEG, Answer

__all__ = ["report"]


def report(answer: Answer, options: list[str]) -> str:
    """The answer, the options' scores, best first, one option's probability, a line a concept."""
    lines = [answer.text, ""]
    if answer.scores:
        ranked = sorted(zip(answer.scores, options, strict=True), reverse=True)
        lines += [f"{score:8.3f}  {option}" for score, option in ranked]
    if answer.probability is not None:
        lines.append(f"{answer.probability:8.3f}  probability that it is right")
    lines += [f"{used.cui}  {used.words}  ({used.score:.2f})" for used in answer.concepts]
    return "\n".join(lines if answer.concepts else [*lines, "no concept was used"]) + "\n"


class AskCommand(Command):
    """Ask a trained model."""

    checkpoint: str = Field(description="folder of meg.finetune or meg.align, or a hub id")
    base: str | None = Field(None, description="where the base LLM is, if not as recorded")
    store: Path | None = Field(None, description="embeddings.h5, if not as recorded")
    linker: Path | None = Field(None, description="folder of kg.link, if not beside the store")
    option: list[str] = Field(
        [], description="choose among these: once for each, taken verbatim; one alone: is it right?"
    )
    max_new_tokens: int = Field(MAX_NEW_TOKENS, ge=1, description="longest answer, in tokens")
    question: CliPositionalArg[str]

    def run(self) -> None:
        """Load the model, answer, write answer, scores and concepts to the standard output."""
        model = MEG.from_pretrained(self.checkpoint, self.base, self.store, self.linker)
        answer = model.ask(self.question, self.option, self.max_new_tokens)
        sys.stdout.write(report(answer, self.option))


if __name__ == "__main__":
    main(AskCommand)
