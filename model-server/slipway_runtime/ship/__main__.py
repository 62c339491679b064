"""`python -m slipway_runtime.ship`."""

from slipway_runtime.ship.command import main

main()
