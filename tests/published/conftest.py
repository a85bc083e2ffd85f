"""The small LLM and store of the tests of `meg`."""

from tests.meg.conftest import base, model_config, network_and_tokens, reader, store

__all__ = ["base", "model_config", "network_and_tokens", "reader", "store"]
