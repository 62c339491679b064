"""The MLServer runtime of one scikit-learn model: loads it and predicts in threads, so that no call waits for another."""

from __future__ import annotations

import asyncio
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import joblib
from mlserver.model import MLModel
from mlserver.settings import ModelSettings
from mlserver.types import MetadataModelResponse, Parameters

from slipway_runtime.serve import describe
from slipway_runtime.serve.artifact import load_model
from slipway_runtime.serve.messages import InferRequest, InferResponse
from slipway_runtime.serve.predictor import SklearnPredictor

THREADS = min(32, (os.cpu_count() or 1) + 8)
"""So many slow predictions can run before a further call waits."""


class SklearnModel(MLModel):  # type: ignore[misc]
    """A model from `model.joblib`, `model.pkl` or `model.pickle` in the folder that the settings name."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__(settings)
        self._threads = ThreadPoolExecutor(THREADS, "predict", initializer=_no_nested_parallelism)

    async def load(self) -> bool:
        """Load the model off the event loop, so that liveness answers meanwhile. Raises LoadFailed."""
        loop = asyncio.get_running_loop()
        self._predictor = await loop.run_in_executor(self._threads, _load, Path(self.settings.parameters.uri))
        return True

    async def infer(self, request: InferRequest) -> InferResponse:
        """Predict in a thread. Raises BadRequest, PredictionFailed."""
        outputs = await asyncio.get_running_loop().run_in_executor(self._threads, self._predictor.predict, request.inputs, request.outputs)
        return InferResponse(request.id or str(uuid4()), self.name, self.version, outputs)

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


def _load(folder: Path) -> SklearnPredictor:
    return SklearnPredictor(load_model(folder))


def _no_nested_parallelism() -> None:
    """An estimator pickled with n_jobs=-1 would start threads a call; calls are already parallel among themselves."""
    joblib.parallel_config(backend="sequential")
