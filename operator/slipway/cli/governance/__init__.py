"""Approvals: what waits, what would change, one's word on it, and who may say what."""
