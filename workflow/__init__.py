"""What the Snakefile needs in Python: the configuration, the runs it asks for, a source digest."""
