"""`python -m slipway_runtime.fetch`."""

from slipway_runtime.fetch.command import main

main()
