"""What the two phases minimise, as modules that the training loop can hold.

Both run one forward of the network on a batch of `meg.model.batch` and return the loss summed over
examples and divided by the examples of the whole optimiser step, so that 8 x 1 and 1 x 8 examples
are the same.
"""

import torch
from torch import Tensor, nn

from meg.config import AlignConfig, MapperConfig
from meg.model.batch import Batch
from meg.model.mapper import build_network
from meg.model.network import ConceptLM
from meg.model.scores import inputs_of, log_likelihoods, mean_names, option_scores
from meg.training.gather import gathered
from meg.training.losses import back_mapping, listwise, nt_xent

__all__ = ["Align", "Answer", "Contrast"]

LIKELIHOOD_SCALE = 3.0
"""Sharpens the softmax over mean log-likelihoods, whose differences are small
(docs/explanation/method.md)."""


class Contrast(nn.Module):
    """The losses of Phase I that need no LLM pass: names and back-mapping.

    NT-Xent between g(x) and the mean of the name's token embeddings, and 1 - cos(f(g(x)), x) with
    the inverse mapper f; weighted a and 1 - a, where a is learned, 0.5 at first, and kept in
    (0, 1) by a sigmoid; in the style of the paper it is a plain parameter.
    """

    def __init__(self, config: AlignConfig, mapper: MapperConfig, kge: int, hidden: int) -> None:
        super().__init__()
        self.config = config
        self.inverse = build_network(mapper, hidden, kge)
        self.paper = config.style == "paper"
        self.weight = nn.Parameter(torch.full((1,), 0.5 if self.paper else 0.0))

    def forward(self, network: ConceptLM, batch: Batch, temperature: float) -> dict[str, Tensor]:
        """The losses that are switched on, weighted, each a mean over the batch's concepts."""
        concepts = batch["concepts"]
        mapped = network.mapper(concepts)
        names = mean_names(network.llm.get_input_embeddings(), batch)
        share = (self.weight if self.paper else torch.sigmoid(self.weight))[0]
        losses = {}
        if self.config.contrastive:
            centre = network.mapper.centre
            pairs = [centre(mapped), centre(names), batch["groups"]]
            if self.config.gather:
                pairs = [gathered(part) for part in pairs]
            left, right, groups = pairs
            contrast = nt_xent(left, right, groups, temperature, one_way=self.paper)
            losses["contrastive"] = share * contrast
        if self.config.cosine:
            losses["cosine"] = (1 - share) * back_mapping(self.inverse(mapped), concepts)
        return losses


class Align(nn.Module):
    """Phase I: cross-entropy of the name, plus `Contrast`.

    A mean over the names of each one's mean over its tokens; in the style of the paper the mean
    over all tokens, in which a long name weighs more.
    """

    accepts_loss_kwargs = True

    def __init__(self, network: ConceptLM, contrast: Contrast) -> None:
        super().__init__()
        self.network = network
        self.contrast = contrast

    def forward(self, num_items_in_batch: Tensor | int | None = None, **batch: Tensor) -> dict:
        logits = self.network(**inputs_of(batch))
        if self.contrast.paper:
            name = -log_likelihoods(logits, batch).mean()
        else:
            name = -option_scores(logits, batch, None).mean()
        parts = {"name": name}
        parts |= self.contrast(self.network, batch, self.contrast.config.temperature)
        loss = torch.stack(list(parts.values())).sum()
        return {"loss": loss * _share(batch, num_items_in_batch), **_detached(parts)}


class Answer(nn.Module):
    """Phase II: cross-entropy of the answer, or of a softmax over the options' scores."""

    accepts_loss_kwargs = True

    def __init__(
        self, network: ConceptLM, over_options: bool, verdicts: tuple[int, int] | None
    ) -> None:
        super().__init__()
        self.network = network
        self.over_options = over_options
        self.verdicts = verdicts

    def forward(self, num_items_in_batch: Tensor | int | None = None, **batch: Tensor) -> dict:
        scores = option_scores(self.network(**inputs_of(batch)), batch, self.verdicts)
        if self.over_options:
            scale = 1.0 if self.verdicts else LIKELIHOOD_SCALE
            loss = listwise(scores, batch["question"], batch["labels"], scale).mean()
        else:
            loss = -scores.mean()
        return {"loss": loss * _share(batch, num_items_in_batch)}


def _share(batch: Batch, items: Tensor | int | None) -> Tensor | float:
    """This batch's share of the examples of the optimiser step."""
    return 1.0 if items is None else len(batch["labels"]) / items


def _detached(parts: dict[str, Tensor]) -> dict[str, Tensor]:
    return {f"loss_{name}": value.detach() for name, value in parts.items()}
