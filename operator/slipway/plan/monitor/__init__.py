"""What the plan for a ModelMonitor is made of."""
