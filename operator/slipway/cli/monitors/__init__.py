"""`kubectl slipway monitor`: what monitors found, and runs on demand."""
