"""`kubectl slipway trace` and `report`: what is known of a deployment, from the cluster and the ledger."""
