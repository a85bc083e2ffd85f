"""What is read off the LLM: option scores, and the embeddings of names."""

import torch
from torch import Tensor, nn

from meg.model.batch import Batch

__all__ = ["branch_means", "inputs_of", "log_likelihoods", "mean_names", "option_scores"]


def option_scores(logits: Tensor, batch: Batch, verdicts: tuple[int, int] | None) -> Tensor:
    """Score (branch,) of every branch from the logits (target, vocab) at `logits_at`.

    With `verdicts`, the ids of Yes and No: logit of Yes minus logit of No behind the branch.
    Without: mean log-likelihood of the branch's tokens.
    """
    if verdicts is not None:
        yes, no = verdicts
        return logits[:, yes].float() - logits[:, no].float()
    return branch_means(log_likelihoods(logits, batch), batch["branch"], len(batch["question"]))


def log_likelihoods(logits: Tensor, batch: Batch) -> Tensor:
    """Log-likelihood (target,) of each scored token from the logits (target, vocab)."""
    # log-softmax of the targets only, without a second (target, vocab) tensor
    chosen = logits.gather(1, batch["targets"][:, None])[:, 0].float()
    return chosen - torch.logsumexp(logits.float(), dim=-1)


def mean_names(embeddings: nn.Module, batch: Batch) -> Tensor:
    """Mean embedding (concept, hidden), float32, of each name's tokens."""
    concepts = len(batch["concepts"])
    tokens = embeddings(batch["name_ids"]).detach().float()
    total = tokens.new_zeros(concepts, tokens.shape[1]).index_add(0, batch["name_of"], tokens)
    return total / torch.bincount(batch["name_of"], minlength=concepts)[:, None]


def inputs_of(batch: Batch) -> Batch:
    names = ("input_ids", "concepts", "attention_mask", "position_ids", "logits_at")
    return {name: batch[name] for name in names}


def branch_means(values: Tensor, branch: Tensor, branches: int) -> Tensor:
    """Mean of the values (target,) of each branch -> (branches,); `branch` (target,) names it."""
    total = values.new_zeros(branches).index_add(0, branch, values)
    count = torch.bincount(branch, minlength=branches).clamp(min=1)
    return total / count
