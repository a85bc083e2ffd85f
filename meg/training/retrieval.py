"""Name retrieval: how often a mapped vector is nearest its own concept's name."""

from collections.abc import Sequence

import torch
from torch.nn import functional

from meg.model.batch import Collator
from meg.model.reader import Reader
from meg.model.scores import mean_names
from meg.prompts.wording import name_prompt

__all__ = ["MOST", "NameRetrieval"]

MOST = 2000
"""Concepts that are asked for, and the candidates among which they are."""


class NameRetrieval:
    """Measures a model's mapper as it is; cheap enough to be asked while it trains.

    Asked of the last `MOST` of `concepts`, (cui, name); the LLM has not been trained to name them
    where Phase I is given few enough. Names are the means of their token embeddings, which no
    training changes.
    """

    @torch.no_grad()
    def __init__(self, reader: Reader, concepts: Sequence[tuple[str, str]]) -> None:
        network, tokens = reader.network, reader.tokens
        examples = [tokens.name_example(name_prompt([concept])) for concept in concepts[-MOST:]]
        batch = Collator(reader.vectors).concepts_only(examples)
        batch = {name: value.to(network.device) for name, value in batch.items()}
        names = network.mapper.centre(mean_names(network.llm.get_input_embeddings(), batch))
        self.mapper, self.concepts = network.mapper, batch["concepts"]
        self.names = functional.normalize(names, dim=-1)

    @torch.no_grad()
    def __call__(self) -> dict[str, float]:
        """Share of concepts whose name is the nearest (`top1`), among the ten nearest (`top10`)."""
        mapped = self.mapper.centre(self.mapper(self.concepts))
        similarity = functional.normalize(mapped, dim=-1) @ self.names.T
        # Of what is no number, nothing is known to be farther: it comes last.
        rank = (~(similarity <= similarity.diag()[:, None])).sum(1)
        return {f"top{k}": round(float((rank < k).float().mean()), 4) for k in (1, 10)}
