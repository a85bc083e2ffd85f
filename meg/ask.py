"""A question in the terminal: the answer, and the concepts that the model was given.

python -m meg.ask --checkpoint results/models/hpoquiz_smollm_options \\
    "Which of these is a finding in Marfan syndrome?" --option Arachnodactyly --option Deafness

Or the likeliest diseases of a patient, which is not medical advice:

python -m meg.ask --store results/kg/hpo/edgegraphsage/embeddings.h5 --phenopacket case.json
"""

import logging
import sys
import warnings
from pathlib import Path

from pydantic import Field
from pydantic_settings import CliPositionalArg
from transformers.utils.logging import disable_progress_bar

from kg.graph.annotations import AnnotatedGraph
from kg.shared.command import Command, main
from kg.shared.errors import InputError
from kg.sources.phenopackets import read_phenopacket
from kg.store import EmbeddingStore
from meg.config import RankConfig
from meg.datasets.cases import Cases
from meg.inference.diagnosis import Diseases
from meg.inference.hub import checkpoint_folder
from meg.inference.judge import Judge, misfit
from meg.inference.likeliest import likeliest
from meg.inference.pretrained import MAX_NEW_TOKENS, MEG, Answer
from meg.model.checkpoint import load
from meg.model.record import read_record
from meg.prompts.vectors import Vectors

__all__ = ["report"]

log = logging.getLogger(__name__)


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
    """Ask a trained model, or which diseases fit a patient best."""

    checkpoint: str | None = Field(
        None, description="folder of meg.finetune or meg.align, or a hub id; needed by a question"
    )
    base: str | None = Field(None, description="where the base LLM is, if not as recorded")
    store: Path | None = Field(None, description="embeddings.h5, if not as recorded")
    linker: Path | None = Field(None, description="folder of kg.link, if not beside the store")
    option: list[str] = Field(
        [], description="choose among these: once for each, taken verbatim; one alone: is it right?"
    )
    max_new_tokens: int = Field(MAX_NEW_TOKENS, ge=1, description="longest answer, in tokens")
    phenopacket: Path | None = Field(
        None, description="instead of a question: the ten diseases likeliest for this patient"
    )
    graph: Path | None = Field(
        None, description="folder that kg.hpo wrote, for a phenopacket, if not that of the store"
    )
    verbose: bool = Field(False, description="say what is loaded, and how, as the stages do")
    rank: RankConfig = Field(RankConfig(), description="section `rank` of the configuration")
    question: CliPositionalArg[str] = Field("", description="the question")

    def cli_cmd(self) -> None:
        """On a command line, before it runs: what a person need not read is not shown."""
        if not self.verbose:
            _say_little()
        self.run()

    def run(self) -> None:
        """Write the answer with its scores and concepts, or the diseases, to standard output."""
        if (self.phenopacket is None) == (not self.question):
            raise InputError("give a question, or the file of a patient by --phenopacket")
        sys.stdout.write(self._answer() if self.phenopacket is None else self._likeliest())

    def _answer(self) -> str:
        if self.checkpoint is None:
            raise InputError("a question needs a trained model: give --checkpoint")
        model = MEG.from_pretrained(self.checkpoint, self.base, self.store, self.linker)
        log.info("%s: %s", self.checkpoint, _loaded(model))
        return report(model.ask(self.question, self.option, self.max_new_tokens), self.option)

    def _likeliest(self) -> str:
        assert self.phenopacket is not None
        patient = read_phenopacket(self.phenopacket)
        folder = checkpoint_folder(self.checkpoint) if self.checkpoint else None
        record = read_record(folder) if folder else None
        store = self.store
        if store is None and record is not None and record.store_path:
            store = Path(record.store_path)
        graph = self.graph or (store and store.parent.parent)
        if graph is None:
            raise InputError("a patient needs a graph: give --graph, the folder that kg.hpo wrote")
        annotated = AnnotatedGraph.read(graph)
        vectors = Vectors(EmbeddingStore(store)) if store else None
        diseases = Diseases(annotated, vectors, self.rank)
        judge = None
        if record is not None and (reason := misfit(record)) is not None:
            log.warning("the diseases are ranked without the LLM: it %s", reason)
        elif folder is not None:
            judge = Judge(load(folder, self.base), vectors, self.rank)
        return str(likeliest(patient, Cases(annotated), diseases, judge, self.rank))


def _loaded(model: MEG) -> str:
    """The base LLM, how it is computed, and how many concepts have a vector."""
    network, store = model.network, model.vectors and model.vectors.store
    adapters = "beside it" if network.adapted else "merged"
    vectors = f"vectors of {len(store):,} concepts" if store else "no vectors"
    dtype = str(network.dtype).removeprefix("torch.")
    return f"{model.record.model.base}, adapters {adapters}, {dtype} on {network.device}; {vectors}"


def _say_little() -> None:
    """Warnings of ours and one line of what was loaded, without times and modules."""
    logging.getLogger().setLevel(logging.WARNING)
    log.setLevel(logging.INFO)
    for handler in logging.getLogger().handlers:
        handler.setFormatter(logging.Formatter("%(message)s"))
    warnings.simplefilter("ignore")
    disable_progress_bar()


if __name__ == "__main__":
    main(AskCommand)
