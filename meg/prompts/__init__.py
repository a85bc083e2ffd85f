"""Questions to prompts, prompts to tokens, and the concepts' vectors in them."""
