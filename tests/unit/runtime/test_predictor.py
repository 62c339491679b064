"""The predictor: which table a model gets, which outputs it answers, whose fault an error is."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from slipway_runtime.serve import describe
from slipway_runtime.serve.errors import BadRequest, PredictionFailed
from slipway_runtime.serve.predictor import SklearnPredictor
from slipway_runtime.serve.tensors import Tensor, from_array
from tests.unit.runtime.models import Moody, churn_frame, churn_model, matrix_model, regression_model

MATRIX = np.random.default_rng(1).normal(size=(3, 4))


@pytest.fixture(autouse=True)
def _no_warnings() -> Iterator[None]:
    """scikit-learn warns when it gets names it was not trained with, or misses those it was."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def columns(frame: pd.DataFrame) -> list[Tensor]:
    return [Tensor(name, "BYTES" if frame[name].dtype == "str" else "FP64", frame[name].to_numpy(dtype=None)) for name in frame]


def answers(predictor: SklearnPredictor, inputs: list[Tensor], outputs: list[str] | None = None) -> dict[str, Any]:
    return {tensor.name: tensor.values for tensor in predictor.predict(inputs, outputs)}


def test_a_matrix_answers_labels_and_probabilities() -> None:
    model = matrix_model()
    found = answers(SklearnPredictor(model), [from_array("anything", MATRIX)])
    assert list(found) == ["predict", "predict_proba"]
    assert np.array_equal(found["predict"], model.predict(MATRIX))
    assert np.array_equal(found["predict_proba"], model.predict_proba(MATRIX))


@pytest.mark.parametrize("order", [[0, 1, 2], [2, 0, 1]])
@pytest.mark.parametrize("shape", [(-1,), (-1, 1)])
def test_named_columns_in_any_order(order: list[int], shape: tuple[int, ...]) -> None:
    frame, _ = churn_frame(5)
    model = churn_model()
    inputs = [Tensor(one.name, one.datatype, one.values.reshape(shape)) for one in columns(frame)]
    found = answers(SklearnPredictor(model), [inputs[position] for position in order])
    assert found["predict"].tolist() == model.predict(frame).tolist()
    assert np.allclose(found["predict_proba"], model.predict_proba(frame))


def test_a_matrix_for_a_model_that_knows_names() -> None:
    frame = pd.DataFrame(MATRIX, columns=list("abcd"))
    model = LogisticRegression().fit(frame, [0, 1, 1])
    assert np.array_equal(answers(SklearnPredictor(model), [from_array("x", MATRIX)])["predict"], model.predict(frame))


def test_columns_for_a_model_that_knows_no_names() -> None:
    inputs = [from_array(f"c{position}", MATRIX[:, position]) for position in range(4)]
    assert np.array_equal(answers(SklearnPredictor(matrix_model()), inputs)["predict"], matrix_model().predict(MATRIX))


def test_one_row_may_leave_out_the_first_dimension() -> None:
    assert answers(SklearnPredictor(matrix_model()), [from_array("x", MATRIX[0])])["predict"].shape == (1,)


def test_one_feature_takes_rows_without_the_second_dimension() -> None:
    assert answers(SklearnPredictor(Moody()), [from_array("x", np.array([0.0, 0.5]))])["predict"].tolist() == [0.0, 0.5]


def test_a_single_named_column_of_a_model_with_one() -> None:
    frame = pd.DataFrame({"only": [0.0, 1.0, 2.0]})
    model = LogisticRegression().fit(frame, [0, 1, 1])
    found = answers(SklearnPredictor(model), [from_array("only", np.array([0.0, 2.0]))])
    assert found["predict"].tolist() == model.predict(frame.iloc[[0, 2]]).tolist()


def test_a_text_model_takes_a_list_of_texts() -> None:
    texts = np.array(["good", "bad", "good good"], dtype=object)
    model = make_pipeline(CountVectorizer(), MultinomialNB()).fit(texts, ["up", "down", "up"])
    predictor = SklearnPredictor(model)
    assert answers(predictor, [from_array("input", texts)])["predict"].tolist() == ["up", "down", "up"]
    assert [(one.name, one.datatype, one.shape) for one in describe.inputs(predictor)] == [("input", "BYTES", [-1])]


def test_a_regressor_answers_predict_only() -> None:
    found = answers(SklearnPredictor(regression_model()), [from_array("x", np.array([[1.0, 1.0]]))])
    assert list(found) == ["predict"]
    assert found["predict"] == pytest.approx([5.0])


@pytest.mark.parametrize("model", [LinearSVC(), RandomForestClassifier(2)], ids=["no probabilities", "two targets"])
def test_outputs_that_a_model_cannot_give_are_not_offered(model: Any) -> None:
    targets = np.array([0, 1, 1]) if isinstance(model, LinearSVC) else np.array([[0, 1], [1, 0], [1, 1]])
    predictor = SklearnPredictor(model.fit(MATRIX, targets))
    assert list(answers(predictor, [from_array("x", MATRIX)])) == ["predict"]
    assert [one.name for one in describe.outputs(predictor)] == ["predict"]


def test_wanted_outputs_come_in_their_order_and_alone() -> None:
    predictor = SklearnPredictor(matrix_model())
    inputs = [from_array("x", MATRIX)]
    assert list(answers(predictor, inputs, ["predict_proba", "predict"])) == ["predict_proba", "predict"]
    assert list(answers(predictor, inputs, ["predict_proba"])) == ["predict_proba"]
    with pytest.raises(BadRequest, match="output 'logits' is not offered: this model answers predict, predict_proba"):
        predictor.predict(inputs, ["logits"])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (np.zeros((2, 3)), r"has shape \[2, 3\]: this model takes \[n, 4\]"),
        (np.zeros(3), r"has shape \[3\]"),
        (np.zeros((1, 2, 2)), r"has shape \[1, 2, 2\]"),
        (np.zeros((0, 4)), "holds no rows"),
        (np.full((1, 4), np.nan), "ValueError: .*NaN"),
        (np.array([["a", "b", "c", "d"]], dtype=object), "could not convert string to float"),
    ],
)
def test_a_matrix_that_does_not_fit_is_the_callers_fault(values: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        SklearnPredictor(matrix_model()).predict([Tensor("x", "FP64", values)], None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"age": None}, r"the columns are not the model's \(missing: age\)"),
        ({"extra": np.zeros(5)}, r"\(unknown: extra\)"),
        ({"age": None, "Age": np.zeros(5)}, r"\(missing: age; unknown: Age\)"),
        ({"age": np.zeros(4)}, "the columns differ in length .*age: 4"),
        ({"age": np.zeros((5, 2))}, r"column 'age' has shape \[5, 2\]"),
        ({"plan": np.array(["platinum"] * 5, dtype=object)}, "unknown categories"),
        ({"age": np.array(["old"] * 5, dtype=object)}, "could not convert string to float"),
    ],
)
def test_columns_that_do_not_fit_are_the_callers_fault(change: dict[str, Any], message: str) -> None:
    found = {tensor.name: tensor.values for tensor in columns(churn_frame(5)[0])} | change
    inputs = [Tensor(name, "BYTES", values) for name, values in found.items() if values is not None]
    with pytest.raises(BadRequest, match=message):
        SklearnPredictor(churn_model()).predict(inputs, None)


def test_other_faults_of_inputs() -> None:
    predictor = SklearnPredictor(matrix_model())
    column = from_array("c", np.zeros(2))
    with pytest.raises(BadRequest, match="inputs is empty"):
        predictor.predict([], None)
    with pytest.raises(BadRequest, match="two inputs have one name"):
        predictor.predict([column, column], None)
    with pytest.raises(BadRequest, match="2 columns were sent: this model takes 4"):
        predictor.predict([column, from_array("d", np.zeros(2))], None)


def test_the_models_own_exception_is_its_fault() -> None:
    with pytest.raises(PredictionFailed, match=r"^RuntimeError: the model is in a bad mood$"):
        SklearnPredictor(Moody()).predict([from_array("x", np.array([[-1.0]]))], None)


def test_a_model_that_exits_does_not_end_the_server(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Moody, "predict", lambda self, table: exit(3))
    with pytest.raises(PredictionFailed, match=r"^SystemExit: 3$"):
        SklearnPredictor(Moody()).predict([from_array("x", np.array([[1.0]]))], None)


def test_metadata_of_named_columns() -> None:
    predictor = SklearnPredictor(churn_model())
    assert [(one.name, one.datatype, one.shape) for one in describe.inputs(predictor)] == [
        ("age", "FP64", [-1]),
        ("plan", "BYTES", [-1]),
        ("spend", "FP64", [-1]),
    ]
    outputs = [one.model_dump(exclude_none=True) for one in describe.outputs(predictor)]
    assert outputs == [
        {"name": "predict", "datatype": "BYTES", "shape": [-1]},
        {"name": "predict_proba", "datatype": "FP64", "shape": [-1, 2], "parameters": {"classes": ["leave", "stay"]}},
    ]


def test_metadata_of_a_matrix() -> None:
    predictor = SklearnPredictor(matrix_model())
    assert [(one.name, one.datatype, one.shape) for one in describe.inputs(predictor)] == [("input", "FP64", [-1, 4])]
    assert [(one.name, one.datatype) for one in describe.outputs(predictor)] == [("predict", "INT64"), ("predict_proba", "FP64")]
