"""The model's metadata: which tensors it takes and answers, as far as a fitted model tells."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from mlserver.types import MetadataTensor, Parameters

from slipway_runtime.serve.predictor import SklearnPredictor
from slipway_runtime.serve.tensors import DATATYPES


def inputs(predictor: SklearnPredictor) -> list[MetadataTensor]:
    """One tensor a named column, else one [n, k] tensor; -1 is any number of rows."""
    if predictor.feature_names is not None:
        texts = set(_text_columns(predictor.model))
        return [MetadataTensor(name=name, datatype="BYTES" if name in texts else "FP64", shape=[-1]) for name in predictor.feature_names]
    if predictor.n_features is None and any(hasattr(step, "vocabulary_") for step in _steps(predictor.model)):
        return [MetadataTensor(name="input", datatype="BYTES", shape=[-1])]
    return [MetadataTensor(name="input", datatype="FP64", shape=[-1, predictor.n_features or -1])]


def outputs(predictor: SklearnPredictor) -> list[MetadataTensor]:
    """`predict`, and `predict_proba` with the classes its columns stand for."""
    classes = getattr(predictor.model, "classes_", None)
    labels = class_labels(predictor)
    datatype = DATATYPES.get(classes.dtype, "BYTES") if isinstance(classes, np.ndarray) else "FP64"
    described = [MetadataTensor(name="predict", datatype=datatype, shape=[-1])]
    if "predict_proba" in predictor.methods:
        described.append(
            MetadataTensor(
                name="predict_proba",
                datatype="FP64",
                shape=[-1, len(labels) or -1],
                parameters=Parameters(classes=labels) if labels else None,
            )
        )
    return described


def class_labels(predictor: SklearnPredictor) -> list[str]:
    """The labels that the columns of `predict_proba` stand for; none where the model does not tell."""
    classes = getattr(predictor.model, "classes_", None)
    return [str(label) for label in classes] if isinstance(classes, np.ndarray) else []


def _text_columns(model: Any) -> Iterator[str]:
    """Columns that a ColumnTransformer hands to an encoder which learned text categories."""
    for step in _steps(model):
        for _, transformer, columns in getattr(step, "transformers_", ()):
            for encoder in _steps(transformer):
                categories = getattr(encoder, "categories_", ())
                if isinstance(columns, list) and len(categories) == len(columns):
                    yield from (
                        column
                        for column, values in zip(columns, categories, strict=True)
                        if isinstance(column, str) and values.dtype.kind in "OUS"
                    )


def _steps(model: Any) -> list[Any]:
    steps = getattr(model, "steps", None)
    return [step for _, step in steps] if isinstance(steps, list) else [model]
