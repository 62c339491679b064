"""From a key on the queue to a finished reconcile: observe, plan, apply, status, Events."""
