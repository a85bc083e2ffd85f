"""A trained model at work: answers to questions."""
