"""What any stage may use: commands, errors, whole files, processes, precision."""
