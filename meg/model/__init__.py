"""The network: an LLM with concept vectors injected, and its checkpoints."""
