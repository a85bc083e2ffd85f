"""MEG as users of transformers expect it: from a checkpoint or a base LLM to answers.

from meg import MEG
model = MEG.from_pretrained("results/models/hpoquiz_smollm_options")
question = "Which of these is a finding in Marfan syndrome?"
print(model.ask(question, ["Arachnodactyly", "Deafness"]))
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from huggingface_hub import HfApi
from torch import Tensor, nn

from kg.linking.linker import Linker
from kg.linking.mention import Mention
from kg.shared.errors import InputError
from kg.store import EmbeddingStore
from meg.config import ModelConfig, PredictConfig, PromptConfig
from meg.datasets.question import Claim, Mentions, Question
from meg.inference.answer import predict
from meg.inference.concepts import Answer, Used, scored, used_concepts, verdict
from meg.inference.generation import left_padded, write
from meg.inference.hub import checkpoint_folder, upload
from meg.model.batch import Batch
from meg.model.checkpoint import build, load, save
from meg.model.network import ConceptLM
from meg.model.reader import Reader
from meg.model.record import Record, check_store
from meg.prompts.tokens import Tokens, say_longer
from meg.prompts.vectors import Vectors
from meg.prompts.wording import open_prompt

if TYPE_CHECKING:
    from transformers.generation.streamers import BaseStreamer

__all__ = ["MAX_NEW_TOKENS", "MEG", "Answer", "Used"]

MAX_NEW_TOKENS = 64

log = logging.getLogger(__name__)


class MEG(nn.Module):
    """A network with its tokenizer, and with the store and the linker that `ask` needs.

    Both may be missing: then everything works that needs no look-up, and the rest says what to
    give.
    """

    def __init__(
        self, network: ConceptLM, tokens: Tokens, record: Record, linker: Linker | None = None
    ) -> None:
        super().__init__()
        self.network = network
        self.tokens = tokens
        self.record = record
        self.linker = linker
        self.vectors: Vectors | None = None

    @classmethod
    def from_pretrained(
        cls,
        checkpoint: str | Path,
        base: str | None = None,
        store: str | Path | None = None,
        linker: str | Path | None = None,
        trainable: bool = False,
    ) -> "MEG":
        """A checkpoint folder, or a repository of the Hugging Face hub.

        Store and linker are looked for where the checkpoint says they were, unless given; `base`
        says where the base LLM is, if not where the checkpoint says.
        """
        network, tokens, record = load(checkpoint_folder(checkpoint), base, trainable)
        hints = {"store_path": store, "linker_path": linker}
        given = {name: str(path) for name, path in hints.items() if path is not None}
        model = cls(network, tokens, record.model_copy(update=given))
        model._attach(required=given)
        return model.eval()

    @classmethod
    def from_base(
        cls,
        base: str,
        store: str | Path,
        config: ModelConfig | None = None,
        linker: str | Path | None = None,
    ) -> "MEG":
        """A base LLM with fresh adapters and a fresh mapper, to be trained."""
        settings = (config or ModelConfig()).model_copy(update={"base": base})
        opened = EmbeddingStore(Path(store))
        record = Record(
            model=settings,
            kge=opened.dim,
            store=opened.space,
            store_path=str(store),
            linker_path=linker and str(linker),
        )
        model = cls(*build(settings, opened.dim), record)
        model._attach(required={"store_path": str(store)})
        return model

    def save_pretrained(self, folder: str | Path) -> None:
        """Write a checkpoint folder: adapters, mapper and `meg.json`."""
        save(Path(folder), self.network, self.record)

    def push_to_hub(self, repository: str, private: bool = True, api: HfApi | None = None) -> str:
        """Upload the checkpoint and return its address; needs a token (`hf auth login`)."""
        base = self.record.model.base
        if Path(base).exists():
            log.warning("the checkpoint names its base LLM by a path of this machine, %s", base)
        # Paths of this machine mean nothing elsewhere.
        record = self.record.model_copy(update={"store_path": None, "linker_path": None})
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "checkpoint"
            save(folder, self.network, record)
            return upload(folder, repository, private, api or HfApi())

    def forward(self, *inputs: Tensor, **named: Tensor) -> Tensor:
        """The network's logits."""
        logits: Tensor = self.network(*inputs, **named)
        return logits

    def generate(self, **inputs: Any) -> Tensor:
        """Token ids (batch, new) behind what `prepare` made; see `ConceptLM.generate`."""
        return self.network.generate(**inputs)

    def prepare(self, texts: Sequence[str]) -> Batch:
        """Left-padded inputs of `generate` for questions, with the concepts they name.

        Raises InputError for a question that the LLM cannot read at once.
        """
        return self._prepare(texts)[0]

    def score_options(self, text: str, options: Sequence[str]) -> tuple[float, ...]:
        """Score of each option as the answer to `text`, higher is better; as `meg.predict` does."""
        return self._choose(text, options).scores

    def ask(
        self,
        text: str,
        options: Sequence[str] = (),
        max_new_tokens: int = MAX_NEW_TOKENS,
        streamer: "BaseStreamer | None" = None,
    ) -> Answer:
        """Link `text`, look its concepts up, and answer: one of `options`, or in own words.

        With one option: yes or no, is it the answer?, and how probably. What the checkpoint was
        trained to be asked is logged where this differs. Raises InputError where it cannot answer
        so: a model of Yes and No (`prompt.answer` yesno) needs options, others two or none.
        """
        _check_list(options, "options")
        if options:
            return self._choose(text, options)
        batch, used = self._prepare([text], max_new_tokens)
        written = write(self.network, self.tokens, batch, max_new_tokens, streamer)
        return Answer(written[0], used[0])

    def link(self, text: str, beside: str = "") -> list[Mention]:
        """The concepts that a text names, beside its question; none for a text-only model."""
        if self.prompt.concepts == "none":
            return []
        if self.linker is None:
            raise InputError(
                f"no linker at {self.record.linker_folder}; give "
                "--linker (linker=...), the folder that `kg.link build` made"
            )
        mentions = scored(self.linker.link(text, beside), text)
        if self.vectors is not None:
            self._say_unknown(mentions, self.vectors)
        return mentions

    def lookup(self) -> Vectors:
        """The store's vectors; InputError where there is no store."""
        if self.vectors is None:
            raise InputError(
                f"no embedding store at {self.record.store_path}; give --store (store=...), the "
                "embeddings.h5 that the checkpoint was trained with"
            )
        return self.vectors

    @property
    def reader(self) -> Reader:
        """The network with what turns questions into its inputs; InputError without a store."""
        return Reader(self.network, self.tokens, self.lookup())

    @property
    def prompt(self) -> PromptConfig:
        """How questions are put: as in Phase II, but for what the graph adds; else the default."""
        prompt = self.record.prompt or PromptConfig()
        return prompt.model_copy(update={"parents": 0, "triplets": 0})

    def check_writes(self) -> None:
        """Raise InputError for a model that learned only to judge options."""
        if self.prompt.answer == "yesno":
            raise InputError(
                "the model learned to judge options by Yes or No (prompt.answer yesno) and writes "
                "no answers; give options (--option): two or more to choose among, or one to ask "
                "whether it is right"
            )

    def _say_otherwise(self, text: str, options: Sequence[str] = ()) -> None:
        trained = self.record.trained
        if trained is not None and (how := trained.otherwise(text, options)) is not None:
            log.warning("the model was trained %s; asked otherwise it may answer anything", how)

    def _say_unknown(self, mentions: Sequence[Mention], vectors: Vectors) -> None:
        cuis = [[candidate.cui for candidate in mention.candidates] for mention in mentions]
        without = [one[0] for one in cuis if not any(map(vectors.known, one))]
        if without:
            log.warning(
                "%d of %d mentions name a concept without a vector in %s (first %s): not injected",
                len(without),
                len(mentions),
                self.record.store_path,
                without[0],
            )

    def _prepare(self, texts: Sequence[str], room: int = 1) -> tuple[Batch, list[tuple[Used, ...]]]:
        _check_list(texts, "texts")
        if not texts or not all(text.strip() for text in texts):
            raise InputError("no text; give at least one question, none of them empty")
        self.check_writes()
        for text in texts:
            self._say_otherwise(text)
        vectors = self.lookup()
        examples, used = [], []
        for text in texts:
            mentions = self.link(text)
            prompt = open_prompt(text, mentions, self.prompt, vectors.known)
            examples.append(self.tokens.open_example(prompt, room))
            used.append(used_concepts(examples[-1].concepts, {text: mentions}))
        say_longer(examples, self.prompt.max_tokens)
        return left_padded(examples, vectors), used

    def _choose(self, text: str, options: Sequence[str]) -> Answer:
        _check_list(options, "options")
        if not options or not all(part.strip() for part in (text, *options)):
            raise InputError(
                f"a question of {len(text)} characters with the options {list(options)}; give a "
                "text and one option or more, none of them empty"
            )
        if len(options) == 1 and self.prompt.answer != "yesno":
            raise InputError(
                f"the model compares options (prompt.answer {self.prompt.answer}) and cannot judge "
                f"{options[0]!r} alone; give two or more"
            )
        self._say_otherwise(text, options)
        linked = {text: self.link(text)} | {part: self.link(part, text) for part in options}
        mentions = Mentions(
            stem=tuple(linked[text]), options=tuple(tuple(linked[option]) for option in options)
        )
        kind = Claim if len(options) == 1 else Question
        question = kind(id="ask", stem=text, options=tuple(options), answer=0, mentions=mentions)
        row = predict(self.reader, [question], self.prompt, PredictConfig())[0]
        assert row.prediction is not None
        assert row.scores is not None
        used = used_concepts(row.concepts, linked)
        if len(options) == 1:
            return verdict(row.scores[0], used, self.record.trained)
        return Answer(options[row.prediction], used, row.scores)

    def _attach(self, required: Mapping[str, str]) -> None:
        """Open store and linker; those that are not `required` may be missing."""
        record = self.record
        if record.prompt is not None and (record.prompt.parents or record.prompt.triplets):
            log.warning(
                "trained with %d parents and %d triplets of each concept, which only questions "
                "that passed meg.neighbours have; ask and generate do without "
                "(docs/start/python.md)",
                record.prompt.parents,
                record.prompt.triplets,
            )
        if not record.store and "store_path" not in required:
            self.vectors = Vectors(None)
        elif record.store_path and ("store_path" in required or Path(record.store_path).is_file()):
            store = EmbeddingStore(Path(record.store_path))
            check_store(record, store)
            self.vectors = Vectors(store)
        where = record.linker_folder
        if where and ("linker_path" in required or Path(where).is_dir()):
            self.linker = Linker.load(Path(where))


def _check_list(texts: Sequence[str], name: str) -> None:
    if isinstance(texts, str):
        raise InputError(f"{name} is one text, {texts!r:.60}; give a list: [{texts!r:.60}]")
