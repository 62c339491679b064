"""Serves one model over the Open Inference Protocol v2, REST and gRPC, on MLServer's building blocks (`slipway-serve`)."""
