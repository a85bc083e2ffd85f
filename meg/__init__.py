"""The language side of MEG: questions, the model, its two training phases, evaluation."""
