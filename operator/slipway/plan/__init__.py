"""Decisions, pure: what is asked and what is observed in; what to apply, the status and the events out. No I/O, no clock."""
