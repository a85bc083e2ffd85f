"""What the source commands do: files of others to the two tables."""
