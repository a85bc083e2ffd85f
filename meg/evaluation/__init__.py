"""Predictions to results: accuracy, intervals, paired comparisons."""
