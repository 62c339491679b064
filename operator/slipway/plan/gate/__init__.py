"""The approval gate: what may run, and what is missing. Pure."""
