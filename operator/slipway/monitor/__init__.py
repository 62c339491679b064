"""One run of a ModelMonitor: one window, one scan, one result. Runs as a Job of the platform's namespace (ADR 0020)."""
