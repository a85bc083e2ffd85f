"""Knowledge graph: sources to tables, tables to embeddings, text to concepts."""
