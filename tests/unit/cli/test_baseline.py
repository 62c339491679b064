"""Reference rows that are pushed with a version."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from slipway.cli.artifact import baseline, manifest
from slipway.cli.artifact.describe import Described
from slipway.cli.errors import CliError


def test_csv_becomes_parquet_with_the_same_rows(tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("age,plan,truth\n20,free,1\n31,gold,0\n")
    read = baseline.read(file)
    assert (read.rows, read.columns) == (2, ("age", "plan", "truth"))
    assert pq.read_table(io.BytesIO(read.content)).to_pylist() == [
        {"age": 20, "plan": "free", "truth": 1},
        {"age": 31, "plan": "gold", "truth": 0},
    ]
    assert read.digest == f"sha256:{hashlib.sha256(read.content).hexdigest()}"
    assert baseline.read(file) == read, "the same rows are the same bytes"


def test_parquet_is_kept_as_it_is(tmp_path: Path) -> None:
    file = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"age": [1.5, None]}), file)
    assert baseline.read(file).content == file.read_bytes()


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("rows.csv", b"age,plan\n", "no rows"),
        ("rows.csv", b"", "cannot read"),
        ("rows.parquet", b"age,plan\n1,free\n", "cannot read"),
        ("rows.json", b"{}", "neither"),
    ],
)
def test_refused(tmp_path: Path, name: str, content: bytes, says: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(CliError, match=says):
        baseline.read(tmp_path / name)


def test_a_version_says_where_its_rows_are_and_other_rows_are_another_version(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("age\n1\n")
    (tmp_path / "b.csv").write_text("age\n2\n")
    spec = {"model": "churn", "version": "3"}
    one, other = (
        manifest.model_version("growth", Described(spec, None, baseline.read(tmp_path / name)).placed("s3://models/growth/churn/3/", None))
        for name in ("a.csv", "b.csv")
    )
    assert one["spec"]["baseline"]["uri"] == "s3://models/growth/churn/3.baseline.parquet"
    assert manifest.same(one, one)
    assert not manifest.same(one, other)
