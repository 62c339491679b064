"""Slipway: a Kubernetes operator that takes models of any framework to production."""

__version__ = "0.1.0"
