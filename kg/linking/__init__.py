"""Text to concepts: normalisation, dictionary, abbreviations, typos, priors, evaluation."""
