"""One reader a data set: its own layout in, `Question` in three splits out."""
