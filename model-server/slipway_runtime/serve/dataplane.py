"""What both protocols call: MLServer's data plane, with readiness that ends at the drain and complete metrics."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

from mlserver.errors import MLServerError
from mlserver.handlers import DataPlane
from mlserver.registry import MultiModelRegistry
from mlserver.settings import Settings
from mlserver.types import MetadataModelResponse
from prometheus_client import REGISTRY, Counter, Histogram

from slipway_runtime.serve.errors import NotReady
from slipway_runtime.serve.runtime import SklearnModel

logger = logging.getLogger(__name__)
BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class SlipwayDataPlane(DataPlane):  # type: ignore[misc]
    """One model's calls. Unknown names never reach a metric's label."""

    def __init__(self, settings: Settings, model_registry: MultiModelRegistry) -> None:
        super().__init__(settings, model_registry)
        self.draining = False
        self._latest: SklearnModel | None = None
        # MLServer's own names, with what it leaves out: the failure's status, and buckets for percentiles.
        REGISTRY.unregister(self._ModelInferRequestFailure)
        REGISTRY.unregister(self._ModelInferRequestDuration)
        self._failures = Counter("model_infer_request_failure", "Model infer request failure count", ["model", "version", "code"])
        self._durations = Histogram("model_infer_request_duration", "Model infer request duration", ["model", "version"], buckets=BUCKETS)

    async def ready(self) -> bool:
        """Whether calls may be sent here: a model is loaded and no drain has begun."""
        models = list(await self._model_registry.get_models())
        return bool(models) and all(model.ready for model in models) and not self.draining

    async def model_ready(self, name: str, version: str | None = None) -> bool:
        """The same of the named model. Raises ModelNotFound."""
        model = await self._find(name, version)
        return bool(model.ready) and not self.draining

    async def model_metadata(self, name: str, version: str | None = None) -> MetadataModelResponse:
        """What the named model takes and answers. Raises ModelNotFound, NotReady."""
        return await (await self.loaded_model(name, version)).metadata()

    async def loaded_model(self, name: str, version: str | None) -> SklearnModel:
        """The named model. Raises ModelNotFound, and NotReady while it is being loaded."""
        model = await self._find(name, version)
        if not model.ready:
            raise NotReady(f"model {name} is being loaded: call again")
        self._latest = model
        return model

    def columns(self) -> tuple[list[str] | None, list[str] | None]:
        """The model's names for the columns of its input and of its probabilities, as far as it was loaded and tells them."""
        return (None, None) if self._latest is None else (self._latest.feature_names, self._latest.classes)

    @contextmanager
    def measured(self, model: SklearnModel) -> Iterator[None]:
        """Counts and times one call, from the parsing of its body on."""
        labels = (model.name, model.version)
        began = time.perf_counter()
        try:
            yield
        except Exception as error:
            code = error.status_code if isinstance(error, MLServerError) else 500
            self._failures.labels(*labels, str(int(code))).inc()
            if code >= 500:
                logger.exception("prediction failed")
            raise
        else:
            self._ModelInferRequestSuccess.labels(*labels).inc()
        finally:
            self._durations.labels(*labels).observe(time.perf_counter() - began)

    async def _find(self, name: str, version: str | None) -> SklearnModel:
        model: SklearnModel = await self._model_registry.get_model(name, version or None)
        return model
