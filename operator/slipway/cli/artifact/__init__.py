"""What `kubectl slipway push` does with a model's files: name them, read them, store them."""
