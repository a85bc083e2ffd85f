"""The lm-evaluation-harness with MEG as its model.

python -m meg.harness --model_args checkpoint=results/models/medqa_mistral --tasks medqa_4options

takes every flag of `lm_eval` (https://github.com/EleutherAI/lm-evaluation-harness). The task writes
the prompt; the concepts that its text names are linked and injected behind the words that name
them, as in training (docs/reference/results.md).
"""

import logging
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import torch
from tqdm import tqdm

from meg.inference.generation import left_padded, write_on
from meg.inference.likelihood import Likelihood, as_claims, likelihoods
from meg.inference.pretrained import MEG
from meg.model.batch import Collator
from meg.model.network import context_length
from meg.model.scores import inputs_of
from meg.prompts.chat import conversation
from meg.prompts.tokens import Example
from meg.prompts.wording import open_prompt

try:
    from lm_eval.__main__ import cli_evaluate
    from lm_eval.api.instance import Instance
    from lm_eval.api.model import LM
    from lm_eval.api.registry import register_model
    from lm_eval.models.utils import (
        handle_stop_sequences,
        normalize_gen_kwargs,
        postprocess_generated_text,
    )
    from lm_eval.utils import get_rolling_token_windows, make_disjoint_window
except ImportError as error:
    raise ImportError("meg.harness needs lm-eval: pip install 'meg-pipeline[harness]'") from error

__all__ = ["HarnessModel"]

MAX_LENGTH = 2048
"""Tokens, where the LLM's configuration does not say how many it takes (the harness's default)."""

MAX_NEW_TOKENS = 256
"""Where the task does not say (the harness's default)."""

T = TypeVar("T")

log = logging.getLogger(__name__)


@register_model("meg")
class HarnessModel(LM):
    """A checkpoint with its linker and store; the arguments are those of `--model_args`.

    `text_only` injects nothing: the same adapters without the graph. Continuations of one context
    (a question's options) are scored in one row behind it, `batch_size` contexts at a time.

    A checkpoint that was trained for a verdict (`prompt.answer` yesno) is scored by it: a
    continuation's log-likelihood is that of Yes against No behind it and a question mark.
    """

    def __init__(
        self,
        checkpoint: str,
        base: str | None = None,
        store: str | None = None,
        linker: str | None = None,
        text_only: bool = False,
        batch_size: int | str = 1,
        device: str | None = None,
        max_batch_size: int | None = None,
    ) -> None:
        super().__init__()
        self.model = MEG.from_pretrained(checkpoint, base, store, linker).eval()
        # The harness says "cuda" where its user says nothing.
        if device is not None and (torch.cuda.is_available() or not device.startswith("cuda")):
            self.model.to(device)
        if text_only:
            prompt = self.model.prompt.model_copy(update={"concepts": "none"})
            self.model.record = self.model.record.model_copy(update={"prompt": prompt})
        self._device = self.model.network.device
        self.batch_size = _whole(batch_size)
        self.tokenizer = self.model.tokens.tokenizer
        self.verdicts = self.model.tokens.verdicts if self.model.prompt.answer == "yesno" else None
        self.max_length = context_length(self.model.network.llm) or MAX_LENGTH

    @torch.no_grad()
    def loglikelihood(
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[Likelihood]:
        """Of each request's continuation, behind its context and the concepts that this names."""
        of_context: defaultdict[str, list[int]] = defaultdict(list)
        for number, request in enumerate(requests):
            of_context[request.args[0]].append(number)
        asked = {
            context: [requests[number].args[1] for number in numbers]
            for context, numbers in of_context.items()
        }
        if self.verdicts is not None:
            asked = {context: as_claims(options) for context, options in asked.items()}
        examples = [self._example(context, options) for context, options in asked.items()]
        found = self._likelihoods(examples, disable_tqdm, self.verdicts)
        by_number = dict(zip((n for ns in of_context.values() for n in ns), found, strict=True))
        return [by_number[number] for number in range(len(requests))]

    @torch.no_grad()
    def loglikelihood_rolling(
        self, requests: list[Instance], disable_tqdm: bool = False
    ) -> list[float]:
        """Of whole texts: there is no context whose concepts could be injected."""
        examples, owners = [], []
        for number, request in enumerate(requests):
            # A row holds its last token too, which the harness's windows leave out.
            windows = get_rolling_token_windows(
                self._encode(request.args[0]), self._start, self.max_length - 1, context_len=1
            )
            for before, scored in map(make_disjoint_window, windows):
                examples.append(Example(str(number), tuple(before), (tuple(scored),), ()))
                owners.append(number)
        totals = [0.0] * len(requests)
        for number, (likelihood, _) in zip(
            owners, self._likelihoods(examples, disable_tqdm), strict=True
        ):
            totals[number] += likelihood
        return totals

    def generate_until(self, requests: list[Instance], disable_tqdm: bool = False) -> list[str]:
        """What the LLM writes behind each context, up to the task's stop sequences.

        Raises InputError for a checkpoint that was trained for a verdict: it cannot write.
        """
        self.model.check_writes()
        alike: defaultdict[str, list[int]] = defaultdict(list)
        for number, request in enumerate(requests):
            alike[repr(request.args[1])].append(number)
        texts: dict[int, str] = {}
        for numbers in alike.values():
            contexts = [requests[number].args[0] for number in numbers]
            written = self._written(contexts, requests[numbers[0]].args[1], disable_tqdm)
            texts |= dict(zip(numbers, written, strict=True))
        return [texts[number] for number in range(len(requests))]

    def apply_chat_template(
        self, chat_history: list[dict[str, str]], add_generation_prompt: bool = True
    ) -> str:
        """The conversation as the tokenizer's template renders it (`--apply_chat_template`)."""
        return conversation(
            self.tokenizer,
            [chat_history],
            add_generation_prompt=add_generation_prompt,
            continue_final_message=not add_generation_prompt,
        )

    def chat_template(self, chat_template: bool | str = False) -> str | None:
        """The template itself, which the harness records."""
        return self.tokenizer.chat_template if chat_template else None

    @property
    def tokenizer_name(self) -> str:
        """Names the template in the harness's caches."""
        return self.model.record.model.base

    def get_model_info(self) -> dict[str, Any]:
        """What the harness writes beside its results: LLM, prompt, digest of the store."""
        return {"meg": self.model.record.model_dump(mode="json")}

    def _likelihoods(
        self,
        examples: Sequence[Example],
        quiet: bool,
        verdicts: tuple[int, int] | None = None,
    ) -> list[Likelihood]:
        """One a branch, in the examples' order."""
        collate = Collator.of(self.model.network, self.model.lookup(), verdicts is not None)

        def scored(chosen: list[Example]) -> Iterator[list[Likelihood]]:
            batch = {key: value.to(self.device) for key, value in collate(chosen).items()}
            with self.model.network.autocast():
                logits = self.model.network(**inputs_of(batch))
            branches = iter(likelihoods(logits, batch, verdicts))
            return ([next(branches) for _ in example.branches] for example in chosen)

        found = self._in_batches(examples, scored, quiet, "likelihoods")
        return [likelihood for example in found for likelihood in example]

    def _written(self, contexts: list[str], asked: dict[str, Any], quiet: bool) -> list[str]:
        options = dict(normalize_gen_kwargs(asked, MAX_NEW_TOKENS))
        stops = [stop for stop in handle_stop_sequences(options.pop("until"), None) if stop]
        most = options.pop("max_gen_toks")
        if not options["do_sample"]:
            options.pop("temperature", None)
        if stops:
            options |= {"stop_strings": stops, "tokenizer": self.tokenizer}

        def written(chosen: list[Example]) -> Iterator[str]:
            batch = left_padded(chosen, self.model.lookup())
            texts = write_on(self.model.network, self.model.tokens, batch, most, **options)
            return (postprocess_generated_text(text, stops, None) for text in texts)

        examples = [self._example(context, room=most) for context in contexts]
        return self._in_batches(examples, written, quiet, "texts")

    def _in_batches(
        self,
        examples: Sequence[Example],
        answer: Callable[[list[Example]], Iterable[T]],
        quiet: bool,
        unit: str,
    ) -> list[T]:
        """What `answer` makes of the examples, the longest first: too long a one fails at once."""
        order = sorted(range(len(examples)), key=lambda i: -len(examples[i]))
        found: dict[int, T] = {}
        for start in tqdm(range(0, len(order), self.batch_size), desc=unit, disable=quiet or None):
            chosen = order[start : start + self.batch_size]
            found |= zip(chosen, answer([examples[i] for i in chosen]), strict=True)
        return [found[i] for i in range(len(examples))]

    def _example(self, context: str, continuations: Sequence[str] = (), room: int = 0) -> Example:
        """Tokens as the harness cuts them: white space at a context's end is the continuation's.

        A continuation without a context that brings its own begin token gets no other.

        Cut from the left where the LLM cannot take them all, `room` tokens behind them included.
        """
        prompt = open_prompt(
            context, self.model.link(context), self.model.prompt, self.model.lookup().known
        )
        body = prompt.user.rstrip() if continuations else prompt.user
        prefix = self._encode(body) if body else [self._start]
        branches = tuple(
            tuple(self._behind(prefix, prompt.user + text, bool(body))) for text in continuations
        )
        if not all(branches):
            raise ValueError(
                f"a continuation of {context[-80:]!r} is empty, which has no likelihood (the "
                "harness's own model stops there too); mend the task's doc_to_choice"
            )
        example = Example(context[-80:], tuple(prefix), branches, prompt.cuis)
        return self._cut(example, self.max_length - max(map(len, branches), default=room))

    def _behind(self, prefix: list[int], text: str, begun: bool) -> list[int]:
        """Ids of a whole text behind those of its context."""
        ids = self._encode(text, begin=begun)
        return ids[len(prefix) :] if begun or ids[:1] == prefix else ids

    def _cut(self, example: Example, most: int) -> Example:
        if len(example.prefix) <= most:
            return example
        if most < 1:
            raise ValueError(
                f"what follows {example.id!r} leaves no room for it: {most} of {self.max_length} "
                "tokens; ask for fewer new tokens"
            )
        log.warning("a context of %d tokens was cut to %d", len(example.prefix), most)
        lost = example.prefix[:-most].count(self.model.network.placeholder)
        return replace(
            example, prefix=example.prefix[-most:], cuis=example.cuis[lost:], shortened=True
        )

    @property
    def _start(self) -> int:
        """What stands before the first token of a text, where nothing else does."""
        begin = self.tokenizer.bos_token_id
        return int(self.tokenizer.eos_token_id if begin is None else begin)

    def _encode(self, text: str, begin: bool = True) -> list[int]:
        """Ids with the tokenizer's own begin token, unless the text (a rendered chat) has it."""
        own = self.tokenizer.bos_token
        begin = begin and not (own and text.startswith(own))
        return list(self.tokenizer(text, add_special_tokens=begin).input_ids)


def _whole(batch_size: int | str) -> int:
    if not str(batch_size).isdecimal() or int(batch_size) < 1:
        raise ValueError(f"--batch_size {batch_size}: MEG needs a number of contexts, such as 8")
    return int(batch_size)


if __name__ == "__main__":
    # `lm_eval` has subcommands that take no model.
    if "--model" not in sys.argv and sys.argv[1:2] not in (["ls"], ["validate"]):
        sys.argv += ["--model", "meg"]
    cli_evaluate()
