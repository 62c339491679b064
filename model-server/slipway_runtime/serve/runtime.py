"""The MLServer runtime of one scikit-learn model: loads it and predicts in threads, so that no call waits for another."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import joblib
from mlserver.model import MLModel
from mlserver.settings import ModelSettings
from mlserver.types import MetadataModelResponse, Parameters

from slipway_runtime.serve import describe
from slipway_runtime.serve.artifact import load_model
from slipway_runtime.serve.errors import BadRequest
from slipway_runtime.serve.identity import current_id
from slipway_runtime.serve.messages import InferRequest, InferResponse
from slipway_runtime.serve.predictor import SklearnPredictor
from slipway_runtime.serve.tensors import Tensor
from slipway_runtime.serve.threads import Threads

THREADS = min(32, (os.cpu_count() or 1) + 8)
"""So many slow predictions can run before a further call waits."""


class SklearnModel(MLModel):  # type: ignore[misc]
    """A model from `model.joblib`, `model.pkl` or `model.pickle` in the folder that the settings name."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__(settings)
        self._threads = Threads(THREADS, _no_nested_parallelism)

    async def load(self) -> bool:
        """Load the model off the event loop, so that liveness answers meanwhile. Raises LoadFailed."""
        self._predictor = await self._threads.run(_load, Path(self.settings.parameters.uri))
        return True

    @property
    def feature_names(self) -> list[str] | None:
        """The names of the columns it was trained on, where it knows them."""
        return self._predictor.feature_names

    @property
    def classes(self) -> list[str] | None:
        """The labels that the columns of `predict_proba` stand for."""
        return describe.class_labels(self._predictor) or None

    async def infer(self, request: InferRequest) -> InferResponse:
        """Predict in a thread; the answer's id is the caller's, or else the one it is traced by. Raises BadRequest, PredictionFailed."""
        outputs = await self._threads.run(self._predictor.predict, request.inputs, request.outputs)
        response = InferResponse(request.id or current_id.get(), self.name, self.version, outputs)
        _require_a_key_a_row(request.keys, response.rows)
        return response

    async def metadata(self) -> MetadataModelResponse:
        """What the model takes and answers; its digest as a parameter."""
        return MetadataModelResponse(
            name=self.name,
            versions=self.settings.versions,
            platform=self.settings.platform,
            inputs=describe.inputs(self._predictor),
            outputs=describe.outputs(self._predictor),
            parameters=Parameters(**self.settings.parameters.extra),
        )


def _require_a_key_a_row(keys: Sequence[Tensor], rows: int) -> None:
    for key in keys:
        if key.values.size != rows:
            raise BadRequest(f"key {key.name!r} has {key.values.size} values, the request {rows} rows: send one a row")


def _load(folder: Path) -> SklearnPredictor:
    return SklearnPredictor(load_model(folder))


def _no_nested_parallelism() -> None:
    """An estimator pickled with n_jobs=-1 would start threads a call; calls are already parallel among themselves."""
    joblib.parallel_config(backend="sequential")
