"""What vectors are worth: ranks, baselines, probes."""
