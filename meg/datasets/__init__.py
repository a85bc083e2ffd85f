"""One reader a data set: its own layout in, `meg.question.Question` in three splits out."""
