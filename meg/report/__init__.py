"""The report: what a results folder holds, as one self-contained page."""
