"""Names of reference rows become the log's."""

from __future__ import annotations

import pyarrow as pa

from slipway.monitor.baseline.names import as_logged, columns_for

MODEL = {"spec": {"schema": {"inputs": [{"name": "predicted_before"}], "outputs": [{"name": "score"}]}}}


def test_features_and_outputs() -> None:
    names = ["age", "monthly charges", "predict", "predict_proba_yes", "score", "predicted_before", "seen", "truth"]
    logged = {"in_monthly charges": "in_monthly_charges", "out_seen": "out_seen"}
    assert columns_for(names, MODEL, logged) == {
        "age": "in_age",
        "monthly charges": "in_monthly_charges",
        "predict": "out_predict",
        "predict_proba_yes": "out_predict_proba_yes",
        "score": "out_score",
        "predicted_before": "in_predicted_before",
        "seen": "out_seen",
    }


def test_a_model_without_a_schema() -> None:
    assert columns_for(["a b", "predict"], {"spec": {}}, {}) == {"a b": "in_a_b", "predict": "out_predict"}


def test_types_are_the_logs_where_they_can_be() -> None:
    rows = pa.record_batch({"a": [True, False], "b": ["x", "y"], "c": [1, 2], "truth": [1, 0]})
    logged = as_logged(rows, {"a": "in_a", "b": "in_b", "c": "in_c"}, {"in_a": pa.int64(), "in_b": pa.float64(), "in_c": pa.string()})
    assert logged.to_pydict() == {"in_a": [1, 0], "in_b": ["x", "y"], "in_c": ["1", "2"], "truth": [1, 0]}


def test_two_names_for_one_column() -> None:
    rows = pa.record_batch({"a b": [1], "a_b": [2]})
    assert as_logged(rows, {"a b": "in_a_b", "a_b": "in_a_b"}, {}).to_pydict() == {"in_a_b": [1]}
