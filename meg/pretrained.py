"""MEG as users of transformers expect it: from a checkpoint or a base LLM to answers.

from meg import MEG
model = MEG.from_pretrained("results/models/hpoquiz_smollm")
print(model.ask("Which of these is a finding in Marfan syndrome?"))
"""

import logging
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from huggingface_hub import HfApi, snapshot_download
from huggingface_hub.errors import HFValidationError, HTTPError
from transformers.generation.streamers import BaseStreamer

from kg.errors import InputError
from kg.linking.linker import Linker
from kg.mention import Mention
from kg.store import EmbeddingStore
from meg.batch import Batch
from meg.checkpoint import Record, build, check_store, load, save
from meg.config import ModelConfig, PredictConfig, PromptConfig
from meg.generation import left_padded, write
from meg.model import MEG as Network
from meg.predict import predict
from meg.prompts import open_prompt
from meg.question import Mentions, Question
from meg.tokens import Tokens
from meg.vectors import Vectors

__all__ = ["MEG", "Answer", "Used"]

MAX_NEW_TOKENS = 64

HUB_ERRORS = (HTTPError, HFValidationError, OSError)
"""What the hub raises; HTTPError is of its client's library, which may be httpx or httpx2."""

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

    def __str__(self) -> str:
        return self.text


class MEG(Network):
    """The network with its tokenizer, and with the store and the linker that `ask` needs.

    Both may be missing: then everything works that needs no look-up, and the rest says what to
    give.
    """

    def __init__(
        self, network: Network, tokens: Tokens, record: Record, linker: Linker | None = None
    ) -> None:
        if network.hook is not None:  # this network sets its own
            network.hook.remove()
        super().__init__(network.llm, network.mapper, network.placeholder, network.injection)
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
        network, tokens, record = load(_folder(checkpoint), base, trainable)
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
        save(Path(folder), self, self.record)

    def push_to_hub(self, repository: str, private: bool = True, api: HfApi | None = None) -> str:
        """Upload the checkpoint and return its address; needs a token (`hf auth login`)."""
        hub = api or HfApi()
        base = self.record.model.base
        if Path(base).exists():
            log.warning("the checkpoint names its base LLM by a path of this machine, %s", base)
        # Paths of this machine mean nothing elsewhere.
        record = self.record.model_copy(update={"store_path": None, "linker_path": None})
        with tempfile.TemporaryDirectory() as temporary:
            folder = Path(temporary) / "checkpoint"
            save(folder, self, record)
            try:
                hub.create_repo(repository, private=private, exist_ok=True)
                return str(hub.upload_folder(repo_id=repository, folder_path=folder))
            except HUB_ERRORS as error:
                raise InputError(
                    f"cannot write to {repository} on the hub ({error}); check the network and the "
                    "name, log in with `hf auth login`; without network `save_pretrained(folder)` "
                    f"here and `hf upload {repository} folder` from where there is one"
                ) from error

    def prepare(self, texts: Sequence[str]) -> Batch:
        """Left-padded inputs of `generate` for questions, with the concepts they name."""
        return self._prepare(texts)[0]

    def score_options(self, text: str, options: Sequence[str]) -> tuple[float, ...]:
        """Score of each option as the answer to `text`, higher is better; as `meg.predict` does."""
        return self._choose(text, options).scores

    def ask(
        self,
        text: str,
        options: Sequence[str] = (),
        max_new_tokens: int = MAX_NEW_TOKENS,
        streamer: BaseStreamer | None = None,
    ) -> Answer:
        """Link `text`, look its concepts up, and answer: one of `options`, or in own words."""
        if options:
            return self._choose(text, options)
        batch, used = self._prepare([text])
        written = write(self, self.tokens, batch, max_new_tokens, streamer)
        return Answer(written[0], used[0])

    def link(self, text: str, beside: str = "") -> list[Mention]:
        """The concepts that a text names, beside its question; none for a text-only model."""
        if self.prompt.concepts == "none":
            return []
        if self.linker is None:
            raise InputError(
                f"no linker at {self.record.linker_path or _beside(self.record.store_path)}; give "
                "--linker (linker=...), the folder that `kg.link build` made"
            )
        mentions = self.linker.link(text, beside)
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
    def prompt(self) -> PromptConfig:
        """How questions are put: as in Phase II, but for what the graph adds; else the default."""
        prompt = self.record.prompt or PromptConfig()
        return prompt.model_copy(update={"parents": 0, "triplets": 0})

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

    def _prepare(self, texts: Sequence[str]) -> tuple[Batch, list[tuple[Used, ...]]]:
        if not texts:
            raise InputError("no texts; give at least one question")
        vectors = self.lookup()
        examples, used = [], []
        for text in texts:
            mentions = self.link(text)
            prompt = open_prompt(text, mentions, self.prompt, vectors.known)
            examples.append(self.tokens.open_example(prompt))
            used.append(_used(prompt.cuis, {text: mentions}))
        return left_padded(examples, vectors), used

    def _choose(self, text: str, options: Sequence[str]) -> Answer:
        if len(options) < 2 or not all(part.strip() for part in (text, *options)):
            raise InputError(
                f"a question of {len(text)} characters with the options {list(options)}; give a "
                "text and two options or more, none of them empty"
            )
        linked = {text: self.link(text)} | {part: self.link(part, text) for part in options}
        mentions = Mentions(
            stem=tuple(linked[text]), options=tuple(tuple(linked[option]) for option in options)
        )
        question = Question(
            id="ask", stem=text, options=tuple(options), answer=0, mentions=mentions
        )
        row = predict(self, self.tokens, [question], self.lookup(), self.prompt, PredictConfig())[0]
        assert row.prediction is not None
        assert row.scores is not None
        return Answer(options[row.prediction], _used(row.concepts, linked), row.scores)

    def _attach(self, required: Mapping[str, str]) -> None:
        """Open store and linker; those that are not `required` may be missing."""
        record = self.record
        if record.prompt is not None and (record.prompt.parents or record.prompt.triplets):
            log.warning(
                "trained with %d parents and %d triplets of each concept, which only questions "
                "that passed meg.neighbours have; ask and generate do without (docs/model.md)",
                record.prompt.parents,
                record.prompt.triplets,
            )
        if not record.store and "store_path" not in required:
            self.vectors = Vectors(None)
        elif record.store_path and ("store_path" in required or Path(record.store_path).is_file()):
            store = EmbeddingStore(Path(record.store_path))
            check_store(record, store)
            self.vectors = Vectors(store)
        where = record.linker_path or _beside(record.store_path)
        if where and ("linker_path" in required or Path(where).is_dir()):
            self.linker = Linker.load(Path(where))


def _used(cuis: Sequence[str], linked: Mapping[str, Sequence[Mention]]) -> tuple[Used, ...]:
    """The concepts, in the prompt's order, each with the first words that name it."""
    named: dict[str, Used] = {}
    for text, mentions in linked.items():
        for mention in mentions:
            for candidate in mention.candidates:
                words = text[mention.start : mention.end]
                named.setdefault(candidate.cui, Used(candidate.cui, words, candidate.score))
    return tuple(named[cui] for cui in cuis)


def _beside(store: str | None) -> str | None:
    """Where the workflow keeps the linker of the store <graph>/<encoder>/embeddings.h5."""
    return store and str(Path(store).parent.parent / "linker")


def _folder(checkpoint: str | Path) -> Path:
    """A local folder as it is, anything else from the hub's cache or the hub."""
    path = Path(checkpoint)
    if path.exists() or path.is_absolute() or len(path.parts) != 2:
        return path
    try:
        return Path(snapshot_download(str(checkpoint)))
    except HUB_ERRORS as error:
        raise InputError(
            f"{checkpoint} is neither a checkpoint folder nor found on the hub: {error}"
        ) from error
