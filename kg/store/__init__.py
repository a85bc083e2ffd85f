"""The embedding store: one vector a concept, in a file that is opened unread."""

from kg.store.vectors import EmbeddingStore, matching_rows, write_store

__all__ = ["EmbeddingStore", "matching_rows", "write_store"]
