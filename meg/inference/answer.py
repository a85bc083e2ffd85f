"""Answers to questions: by the options' likelihood, or by what is written."""

from collections.abc import Callable, Sequence
from typing import Any

import torch
from tqdm import tqdm

from kg.shared.batches import budgeted
from kg.shared.errors import InputError
from meg.config import PredictConfig, PromptConfig
from meg.datasets.question import Question
from meg.evaluation.prediction import Prediction
from meg.inference.generation import left_padded, write
from meg.model.batch import Collator
from meg.model.reader import Reader
from meg.model.scores import inputs_of, option_scores
from meg.prompts.parse import chosen_option
from meg.prompts.tokens import Example, say_longer

__all__ = ["predict"]

MAX_ANSWER_TOKENS = 30
"""As in the published evaluation."""

Answered = Callable[[Sequence[Question], Sequence[Example]], list[Prediction]]


@torch.no_grad()
def predict(
    reader: Reader,
    questions: Sequence[Question],
    prompt: PromptConfig,
    config: PredictConfig,
) -> list[Prediction]:
    """The answer to every question, in the questions' order.

    By likelihood: the option with the best score. By generation: the option that the text names.
    """
    reader.network.eval()
    if config.method == "generate" and prompt.answer == "yesno":
        raise InputError(
            "prompt.answer yesno asks about each option by itself and cannot be generated; set "
            "prompt.answer to letter or text, or predict.method to likelihood"
        )
    generate = config.method == "generate"
    answered = (_generator if generate else _scorer)(reader, prompt)
    room = MAX_ANSWER_TOKENS if generate else 0
    examples = [
        reader.tokens.question_example(question, prompt, reader.vectors.known, room=room)
        for question in questions
    ]
    say_longer(examples, prompt.max_tokens)
    count = Collator.of(reader.network, reader.vectors).tokens
    lengths = [count(example) for example in examples]
    predictions: dict[int, Prediction] = {}
    with tqdm(
        total=len(examples), desc="questions", disable=len(examples) == 1 or None
    ) as progress:
        for chosen in budgeted(lengths, config.batch_tokens, config.batch_size):
            rows = answered([questions[i] for i in chosen], [examples[i] for i in chosen])
            predictions |= dict(zip(chosen, rows, strict=True))
            progress.update(len(chosen))
    return [predictions[i] for i in range(len(examples))]


def _scorer(reader: Reader, prompt: PromptConfig) -> Answered:
    network = reader.network
    verdicts = reader.tokens.verdicts if prompt.answer == "yesno" else None
    collate = Collator.of(network, reader.vectors, verdicts is not None)

    def answered(questions: Sequence[Question], examples: Sequence[Example]) -> list[Prediction]:
        batch = {name: value.to(network.device) for name, value in collate(examples).items()}
        with network.autocast():
            logits = network(**inputs_of(batch))
        scores = option_scores(logits, batch, verdicts).cpu()
        if not torch.isfinite(scores).all():
            raise InputError(
                f"the model's scores of {questions[0].id} and the {len(questions) - 1} questions "
                "with it are no numbers; train it again with a lower learning_rate, or in float32"
            )
        of_question = scores.split([len(example.branches) for example in examples])
        return [
            _prediction(
                question,
                example,
                int(own.argmax()),
                scores=tuple(round(float(score), 4) for score in own),
            )
            for question, example, own in zip(questions, examples, of_question, strict=True)
        ]

    return answered


def _generator(reader: Reader, prompt: PromptConfig) -> Answered:
    def answered(questions: Sequence[Question], examples: Sequence[Example]) -> list[Prediction]:
        batch = left_padded(examples, reader.vectors)
        texts = write(reader.network, reader.tokens, batch, MAX_ANSWER_TOKENS)
        return [
            _prediction(question, example, chosen_option(text, question.options, prompt), text=text)
            for question, example, text in zip(questions, examples, texts, strict=True)
        ]

    return answered


def _prediction(
    question: Question, example: Example, chosen: int | None, **more: Any
) -> Prediction:
    return Prediction(
        id=question.id,
        kind=question.kind,
        answer=question.answer,
        prediction=chosen,
        concepts=example.concepts,
        shortened=example.shortened,
        **more,
    )
