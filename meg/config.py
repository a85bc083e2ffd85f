"""Configuration of the language stages; one section a stage, values live in `config/*.yaml`.

It imports neither torch nor a model, so that the Snakefile can validate a config in a moment.
The defaults are those of the published runs where these are known (docs/explanation/method.md).
"""

from typing import Annotated, Literal

from pydantic import Field, field_validator, model_validator

from kg.shared.command import Section

__all__ = [
    "After",
    "AlignConfig",
    "FinetuneConfig",
    "LoraSettings",
    "MapperConfig",
    "ModelConfig",
    "PredictConfig",
    "PromptConfig",
    "RankConfig",
    "Style",
    "TrainingConfig",
]

Style = Literal["ours", "paper"]
"""What changes what a model learns, or how it has to be asked: this project's way, or as the
published code has it (docs/explanation/method.md)."""

VectorKind = Literal["store", "permuted"]
PERMUTED = "permuted: every concept has another concept's vector (a control)"
"""The same one in every stage of one seed."""


class MapperConfig(Section):
    """The network G that maps a concept's vector to the LLM's embedding space."""

    kind: Literal["linear", "mlp", "transformer"] = Field("mlp", description="its architecture")
    layers: int = Field(4, ge=1, description="hidden layers (mlp, transformer)")
    width: int = Field(
        128, ge=1, description="units of a hidden layer (mlp; transformer: a multiple of heads)"
    )
    heads: int = Field(4, ge=1, description="attention heads (transformer)")
    style: Style = Field(
        "ours",
        description="paper: a transformer normalises before its layers, not behind them, and "
        "attends over all concepts of a question, not over each alone",
    )
    normalise: bool = Field(
        True,
        description="bring the output to the mean and norm of the LLM's embeddings; "
        "false is the published model, from which a small LLM gets no signal",
    )

    @model_validator(mode="after")
    def _divisible(self) -> "MapperConfig":
        if self.kind == "transformer" and self.width % self.heads:
            raise ValueError(
                f"width {self.width} is not a multiple of the {self.heads} attention heads"
            )
        return self


class LoraSettings(Section):
    """Low-rank adapters, by PEFT."""

    r: int = Field(32, ge=1, description="rank")
    alpha: int = Field(64, ge=1, description="scale is alpha / r")
    dropout: float = Field(0.05, ge=0, lt=1, description="dropout on the adapters' input")


class ModelConfig(Section):
    """One LLM and what is added to it."""

    base: str = Field(
        "mistralai/Mistral-7B-Instruct-v0.1",
        description="hub id, folder, .gguf file, package:<python package>/<file>.gguf, or "
        "random:<model type> (tiny, to try things)",
    )
    dtype: Literal["bfloat16", "float16", "float32"] = Field(
        "bfloat16",
        description="type of the frozen base weights; float32 where bfloat16 is asked for and is "
        "not faster on the device",
    )
    quantize: Literal["none", "8bit", "4bit"] = Field(
        "none", description="load the base quantised (needs bitsandbytes)"
    )
    chat: bool = Field(
        True, description="use the tokenizer's chat template, if it has one; else plain text"
    )
    system: str = Field(
        "", description="system message of every prompt; where a template has none, of the user's"
    )
    injection: Literal["input", "last", "output"] = Field(
        "input",
        description="where concept vectors enter: as input embeddings, before the last layer, or "
        "(as published) behind the final norm, where no other token sees them",
    )
    lora: LoraSettings = Field(LoraSettings(), description="low-rank adapters")
    mapper: MapperConfig = Field(MapperConfig(), description="vector -> LLM embedding")


class TrainingConfig(Section):
    """One run of the training loop, the same for both phases."""

    epochs: float = Field(1, gt=0, description="passes over the training examples")
    learning_rate: float = Field(1e-4, gt=0, description="peak rate of the adapters")
    mapper_learning_rate: float | None = Field(
        None, gt=0, description="peak rate of the mapper; null: the adapters' rate"
    )
    batch_size: int = Field(32, ge=1, description="examples an optimiser step, over all devices")
    micro_batch_size: int = Field(8, ge=1, description="examples a device holds at once")
    weight_decay: float = Field(0, ge=0, description="AdamW's decoupled weight decay")
    max_grad_norm: float | None = Field(
        1.0, gt=0, description="gradients are clipped to this norm; null: they are not"
    )
    gradient_checkpointing: bool = Field(
        False,
        description="recompute activations, saves memory; compiled layers keep half of them",
    )
    compile: bool = Field(
        False,
        description="torch.compile the LLM's layers: faster after a minute; needs a C compiler, on "
        "a CPU one of C++",
    )
    save_every: int = Field(100, ge=1, description="optimiser steps between resume checkpoints")
    deepspeed: str | None = Field(None, description="DeepSpeed JSON, e.g. config/deepspeed/*.json")
    fsdp: bool = Field(False, description="shard the LLM over the GPUs by PyTorch's FSDP2")
    report_to: list[str] = Field(["tensorboard"], description="transformers' loggers")

    @model_validator(mode="after")
    def _parted_by_one(self) -> "TrainingConfig":
        if self.fsdp and self.deepspeed is not None:
            raise ValueError(f"fsdp and deepspeed ({self.deepspeed}) are both set; choose one")
        return self


class PromptConfig(Section):
    """How a question becomes text, and which concepts it carries."""

    style: Style = Field(
        "ours",
        description="paper: all vectors stand in one block before the question, none behind a "
        "word, and options are listed as A) and not A.",
    )
    instruction: str = Field("", description="sentence before the question")
    list_options: bool = Field(True, description="show all options before asking for the answer")
    answer: Literal["text", "letter", "letter+text", "yesno"] = Field(
        "letter",
        description="what is scored per option: its text, its letter, both (as published), or Yes "
        "against No after it",
    )
    concepts: Literal["none", "question", "question+options"] = Field(
        "question", description="whose concepts are injected"
    )
    max_concepts: Annotated[int, Field(ge=0)] | dict[str, Annotated[int, Field(ge=0)]] = Field(
        20,
        description="concepts of the question's text at most, best first, and as many of each "
        "option's; or by the question's kind (MMLU: its subject), with `other` for kinds not named",
    )
    pool: Literal["none", "mean"] = Field(
        "none",
        description="mean: one vector for all concepts of a text, their mean, behind the last of "
        "them (style paper: in the block); none: one behind each",
    )
    parents: int = Field(
        0, ge=0, le=8, description="parents of each concept that are injected behind it"
    )
    triplets: int = Field(
        0, ge=0, le=8, description="triplets of each concept that are written into the context"
    )
    triplet_concepts: int = Field(10, ge=1, description="of at most this many concepts, best first")
    max_tokens: int = Field(500, ge=32, description="longer contexts are shortened, and counted")

    @field_validator("max_concepts")
    @classmethod
    def _has_other(cls, most: int | dict[str, int]) -> int | dict[str, int]:
        if isinstance(most, dict) and "other" not in most:
            raise ValueError("has no `other`, the number for kinds that are not named")
        return most


class AlignConfig(Section):
    """Phase I: learn to name concepts from their vectors (paper, embedding transfer)."""

    training: TrainingConfig = Field(TrainingConfig(), description="the loop")
    style: Style = Field(
        "ours",
        description="paper: the cross-entropy is a mean over the tokens that a device holds at "
        "once, NT-Xent goes from vectors to names only, its weight is a plain number, and "
        "mapper_steps have AdamW and a falling rate",
    )
    concepts: int | None = Field(None, ge=1, description="train on this many; null: on all")
    names_per_prompt: int = Field(1, ge=1, description="extended Phase I: up to this many names")
    mapper_steps: int = Field(
        0, ge=0, description="steps of the mapper alone, without the LLM, before Phase I"
    )
    mapper_learning_rate: float = Field(3e-3, gt=0, description="rate of these steps")
    mapper_batch_size: int = Field(512, ge=2, description="concepts in each of these steps")
    mapper_temperature: float = Field(0.07, gt=0, description="of NT-Xent in these steps")
    temperature: float = Field(1.0, gt=0, description="of the contrastive loss NT-Xent")
    name: bool = Field(
        True,
        description="use the cross-entropy of the name by the LLM; false: the mapper alone instead "
        "of Phase I",
    )
    contrastive: bool = Field(
        True,
        description="use NT-Xent(g(x), mean embedding of the name); its negatives are the others "
        "that a device holds at once",
    )
    gather: bool = Field(
        False, description="its negatives are those of all devices at once: as many on any number"
    )
    cosine: bool = Field(True, description="use 1 - cos(f(g(x)), x)")
    vectors: VectorKind = Field("store", description=PERMUTED)

    @model_validator(mode="after")
    def _trains_something(self) -> "AlignConfig":
        if not self.name and not self.mapper_steps:
            raise ValueError("name is false and mapper_steps 0: nothing is trained; set one")
        if self.mapper_steps and not (self.contrastive or self.cosine):
            raise ValueError(
                "mapper_steps trains by the contrastive or the cosine loss, and both are false; "
                "set one, or mapper_steps to 0"
            )
        return self


class After(Section):
    """An earlier Phase II that one starts from: easier questions first."""

    dataset: str = Field(description="one of datasets, whose model it starts from")
    variants: dict[str, str] = Field(
        {}, description="variant (or main) -> the variant there; those not named: the same one"
    )


class FinetuneConfig(Section):
    """Phase II: learn to answer questions."""

    training: TrainingConfig = Field(TrainingConfig(epochs=3), description="the loop")
    prompt: PromptConfig = Field(PromptConfig(), description="text and concepts of a question")
    start: Literal["align", "base"] = Field("align", description="Phase I's model or the base LLM")
    after: After | None = Field(
        None, description="start from the model of another data set's Phase II instead"
    )
    objective: Literal["listwise", "answer"] = Field(
        "answer", description="softmax over the options' scores, or cross-entropy of the answer"
    )
    train_mapper: bool = Field(False, description="train the mapper too; the paper froze it")
    questions: int | None = Field(None, ge=1, description="train on this many; null: on all")
    vectors: VectorKind = Field("store", description=PERMUTED)

    @model_validator(mode="after")
    def _has_wrong_answers(self) -> "FinetuneConfig":
        if self.objective == "answer" and self.prompt.answer == "yesno":
            raise ValueError(
                "objective: answer learns from the right option alone, behind which yesno has "
                "nothing but Yes; set objective to listwise, or prompt.answer to text or letter"
            )
        return self


class PredictConfig(Section):
    """Answering the test questions."""

    vectors: VectorKind = Field("store", description=PERMUTED)
    method: Literal["likelihood", "generate"] = Field(
        "likelihood", description="compare the options' scores, or generate and parse"
    )
    batch_size: int = Field(32, ge=1, description="questions in a forward pass, at most")
    batch_tokens: int = Field(
        16384,
        ge=1,
        description="tokens in a forward pass, padding included; a longer question has its own",
    )
    seed: int = Field(0, ge=0, description="seed of the permutation")


class RankConfig(Section):
    """Ranking all diseases of a graph by a patient's findings."""

    catalogue: str = Field("OMIM", description="diseases of this prefix of their ids are ranked")
    min_findings: int = Field(3, ge=1, description="patients with fewer findings are left out")
    weight: float = Field(
        0.5, ge=0, le=1, description="share of the vectors' score in both, the rest is information"
    )
    by: Literal["information", "vectors", "both"] = Field(
        "both",
        description="whose best diseases the LLM judges, and whose score its own is added to",
    )
    candidates: int = Field(50, ge=2, description="diseases that the LLM judges, of each patient")
    llm_weight: float = Field(
        0.5, ge=0, le=1, description="share of the LLM's score among these, both standardised"
    )
    findings: int = Field(
        8, ge=1, description="findings that the LLM is told at most, those that tell the most"
    )
    absent: int = Field(3, ge=0, description="absent findings that the LLM is told at most")
