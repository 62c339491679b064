"""The prediction log: ground truth in, rows out, one person's rows erased."""
