"""`python -m slipway_runtime.serve`."""

from slipway_runtime.serve.command import main

main()
