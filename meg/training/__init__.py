"""Both training phases: objectives and the loop that minimises them."""
