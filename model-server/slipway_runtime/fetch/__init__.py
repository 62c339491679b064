"""Brings a model's artifact to its pod, computing the digest while it writes (`slipway-fetch`)."""
