"""A scikit-learn model behind tensors: builds the table it was trained on, answers its predictions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from slipway_runtime.serve.errors import BadRequest, PredictionFailed
from slipway_runtime.serve.tensors import Array, Tensor, from_array

INPUT_CHECKS = ("sklearn/utils/validation.py", "sklearn/utils/_encode.py", "sklearn/preprocessing/_encoders.py")
"""Where scikit-learn judges what it is given: a ValueError raised there is the caller's, not the model's."""


class SklearnPredictor:
    """Anything with scikit-learn's `predict`, and `predict_proba` where it has one."""

    def __init__(self, model: Any) -> None:
        self.model = model
        names = getattr(model, "feature_names_in_", None)
        self.feature_names: list[str] | None = None if names is None else [str(name) for name in names]
        self.n_features: int | None = getattr(model, "n_features_in_", None)
        self._columns = None if self.feature_names is None else pd.Index(self.feature_names)
        self._prepare, self._final = _split(model)
        self._positions = {name: position for position, name in enumerate(self.feature_names or ())}

    @property
    def methods(self) -> Mapping[str, Callable[[Any], Any]]:
        """The outputs by name, each with the method that makes it from the prepared table."""
        methods = {"predict": self._final.predict}
        if hasattr(self._final, "predict_proba") and not isinstance(getattr(self.model, "classes_", None), list):
            methods["predict_proba"] = self._final.predict_proba
        return methods

    def predict(self, inputs: Sequence[Tensor], outputs: Sequence[str] | None) -> list[Tensor]:
        """The wanted outputs for one table of inputs. Raises BadRequest, PredictionFailed."""
        methods = self.methods
        wanted = methods if outputs is None else outputs
        for name in wanted:
            if name not in methods:
                raise BadRequest(f"output {name!r} is not offered: this model answers {', '.join(methods)}")
        table = self.table(inputs)
        try:
            prepared = self._prepare(table)
            return [from_array(name, np.asarray(methods[name](prepared))) for name in wanted]
        except BaseException as error:  # even SystemExit: a model must not end the server
            raise _blame(error) from error

    def table(self, inputs: Sequence[Tensor]) -> Any:
        """The model's input: a DataFrame in the trained order where the model knows names, else an array."""
        if not inputs:
            raise BadRequest("inputs is empty: send one [n, k] tensor, or one tensor a column")
        if len(inputs) == 1 and not self._is_column(inputs[0]):
            return self._from_matrix(inputs[0])
        return self._from_columns(inputs)

    def _is_column(self, tensor: Tensor) -> bool:
        return tensor.name in self._positions and _is_flat(tensor.values)

    def _from_matrix(self, tensor: Tensor) -> Any:
        values = tensor.values
        if self.n_features is None:
            return values
        if values.ndim == 1:
            values = values.reshape(-1, 1) if self.n_features == 1 else values.reshape(1, -1)
        if values.ndim != 2 or values.shape[1] != self.n_features:
            raise BadRequest(
                f"input {tensor.name!r} has shape {list(tensor.values.shape)}: this model takes [n, {self.n_features}]"
                + (f", or one tensor a column: {_listed(self.feature_names)}" if self.feature_names else "")
            )
        _require_rows(len(values))
        return values if self._columns is None else pd.DataFrame(values, columns=self._columns)

    def _from_columns(self, inputs: Sequence[Tensor]) -> Any:
        columns = {tensor.name: _column(tensor) for tensor in inputs}
        if len(columns) < len(inputs):
            raise BadRequest("two inputs have one name: give every column its own")
        if len({len(column) for column in columns.values()}) > 1:
            lengths = ", ".join(f"{name}: {len(column)}" for name, column in columns.items())
            raise BadRequest(f"the columns differ in length ({lengths}): every column needs one value a row")
        _require_rows(len(next(iter(columns.values()))))
        if self.feature_names is not None:
            self._require_names(columns)
            return _frame(columns, self.feature_names, self._columns)
        if self.n_features is None:
            return _frame(columns, list(columns), None)
        if len(columns) != self.n_features:
            raise BadRequest(f"{len(columns)} columns were sent: this model takes {self.n_features}")
        return np.column_stack(list(columns.values()))

    def _require_names(self, columns: Mapping[str, Array]) -> None:
        missing = [name for name in self._positions if name not in columns]
        extra = [name for name in columns if name not in self._positions]
        if missing or extra:
            parts = [f"missing: {_listed(missing)}"] * bool(missing) + [f"unknown: {_listed(extra)}"] * bool(extra)
            raise BadRequest(f"the columns are not the model's ({'; '.join(parts)})")


def _split(model: Any) -> tuple[Callable[[Any], Any], Any]:
    """A pipeline's transformations and its last step, so that two outputs transform once; any other model as it is."""
    if type(model) is Pipeline and len(model.steps) > 1:
        return model[:-1].transform, model.steps[-1][1]
    return lambda table: table, model


def _is_flat(values: Array) -> bool:
    return values.ndim == 1 or (values.ndim == 2 and values.shape[1] == 1)


def _column(tensor: Tensor) -> Array:
    if not _is_flat(tensor.values):
        raise BadRequest(f"column {tensor.name!r} has shape {list(tensor.values.shape)}: a column has [n] or [n, 1]")
    return tensor.values.reshape(-1)


def _frame(columns: Mapping[str, Array], order: Sequence[str], index: pd.Index | None) -> pd.DataFrame:
    ordered = [columns[name] for name in order]
    if len({column.dtype for column in ordered}) == 1 and ordered[0].dtype != object:
        return pd.DataFrame(np.stack(ordered, axis=1), columns=index if index is not None else list(order))
    return pd.DataFrame({name: columns[name] for name in order})


def _require_rows(rows: int) -> None:
    if rows == 0:
        raise BadRequest("the request holds no rows: send at least one")


def _listed(names: Sequence[str] | None, limit: int = 20) -> str:
    names = names or ()
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _blame(error: BaseException) -> Exception:
    """The caller's fault where scikit-learn's checks of its input raised, else the model's."""
    failed = PredictionFailed(error)
    if type(error).__name__ == "NotFittedError":  # a ValueError too, but nothing a caller can help
        return failed
    trace = error.__traceback__
    while isinstance(error, ValueError) and trace is not None:
        if trace.tb_frame.f_code.co_filename.endswith(INPUT_CHECKS):
            return BadRequest(str(failed))
        trace = trace.tb_next
    return failed
