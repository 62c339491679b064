"""Rows into Open Inference Protocol v2 requests, and replies into tables."""
