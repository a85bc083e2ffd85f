"""Whether the parts of a model fit each other: weights, configuration and tokenizer."""

from collections.abc import Iterator
from contextlib import contextmanager

from transformers import PreTrainedTokenizerBase

from kg.shared.errors import InputError

__all__ = ["check_vocabulary", "shapes_checked"]


@contextmanager
def shapes_checked(name: str) -> Iterator[None]:
    """Say which model it is whose weights transformers finds of other shapes than its config."""
    try:
        yield
    except RuntimeError as error:
        if "ignore_mismatched_sizes" not in str(error):
            raise
        raise InputError(
            f"{name}: weights have other shapes than its config.json says (the report above names "
            "them); correct vocab_size, or whichever number it is, or copy the model again"
        ) from error


def check_vocabulary(name: str, tokenizer: PreTrainedTokenizerBase, embeddings: int) -> None:
    """Raise InputError where the tokenizer of the model `name` has ids without an embedding.

    Its tokens for padding and masks are spared: transformers adds them, and no prompt holds them.
    """
    spared = {tokenizer.pad_token_id, tokenizer.mask_token_id} - {tokenizer.eos_token_id}
    ids = {token: id_ for token, id_ in tokenizer.get_vocab().items() if id_ not in spared}
    beyond = {token: id_ for token, id_ in ids.items() if id_ >= embeddings}
    if beyond:
        first = min(beyond, key=lambda token: beyond[token])
        raise InputError(
            f"{name}: {len(beyond)} tokens of the tokenizer have no embedding (first {first!r}, id "
            f"{beyond[first]}; the model has {embeddings}); take the tokenizer that belongs to the "
            "model, or give it more embeddings by transformers' resize_token_embeddings"
        )
