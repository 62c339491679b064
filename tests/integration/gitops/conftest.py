"""As for the gate: a control plane with the chart's policies, and an operator that governs."""

from tests.integration.gate.conftest import gated, governor, plane, store

__all__ = ["gated", "governor", "plane", "store"]
