"""Tells a model's owner what a run found (docs/monitors/notifiers.md)."""
