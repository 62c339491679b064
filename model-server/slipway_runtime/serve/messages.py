"""An inference call between the wire and the model, the same for REST and gRPC."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from slipway_runtime.serve.tensors import Tensor


@dataclass(frozen=True, slots=True)
class InferRequest:
    """What a caller sent."""

    id: str | None
    inputs: Sequence[Tensor]
    outputs: Sequence[str] | None
    """The names of the wanted outputs, in order; None for all."""
    keys: Sequence[Tensor] = ()
    """What the model does not see: the prediction log finds rows by it."""


@dataclass(frozen=True, slots=True)
class InferResponse:
    """What the caller gets."""

    id: str
    model_name: str
    model_version: str
    outputs: Sequence[Tensor]

    @property
    def rows(self) -> int:
        """How many rows were answered."""
        shape = self.outputs[0].values.shape if self.outputs else ()
        return int(shape[0]) if shape else 1
