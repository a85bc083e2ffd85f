"""The graph: its two tables, its split, who sends messages to whom, its hierarchy."""
