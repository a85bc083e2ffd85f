"""A network with what turns questions into its inputs."""

from dataclasses import dataclass

from meg.model.network import ConceptLM
from meg.prompts.tokens import Tokens
from meg.prompts.vectors import Vectors

__all__ = ["Reader"]


@dataclass(frozen=True)
class Reader:
    """A network, its tokenizer with the placeholder, and the vectors of the concepts."""

    network: ConceptLM
    tokens: Tokens
    vectors: Vectors
