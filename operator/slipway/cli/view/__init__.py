"""How `kubectl slipway status` sees and shows a ModelDeployment."""
