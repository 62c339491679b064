"""`kubectl slipway monitor`: what monitors found."""
