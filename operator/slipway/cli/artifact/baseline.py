"""Reference rows of a version (`push --baseline`): what drift is measured against, as one Parquet file beside the artifact."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slipway.cli.errors import CliError

LARGEST = 1 << 30
"""Bytes of the Parquet file: a sample of the training rows is enough."""
TRUTH = "truth"
"""The column with what turned out to be true, if the rows have it: estimates need it."""


@dataclass(frozen=True)
class Baseline:
    """The bytes that are stored, and what is said of them."""

    content: bytes
    digest: str
    rows: int
    columns: tuple[str, ...]

    def placed(self, uri: str) -> dict[str, str]:
        """`spec.baseline` of the ModelVersion whose artifact, or place, is the folder `uri`."""
        return {"uri": beside(uri), "digest": self.digest}


def beside(uri: str) -> str:
    """Where the rows of the version in the folder `uri` are."""
    return f"{uri.rstrip('/')}.baseline.parquet"


def read(path: Path) -> Baseline:
    """The rows of a CSV or Parquet file. Raises CliError for any other, and for one without rows."""
    import pyarrow as pa

    try:
        content = path.read_bytes() if path.suffix == ".parquet" else _as_parquet(path)
        rows, columns = _look(content)
    except pa.ArrowInvalid as error:
        raise CliError(f"cannot read the reference rows in {path}: {error}") from error
    except OSError as error:
        raise CliError(f"cannot read {path}: {error.strerror or error}") from error
    if not rows:
        raise CliError(f"{path} has no rows: a baseline is a sample of the rows that the version was trained on")
    if len(content) > LARGEST:
        raise CliError(f"{path} takes {len(content) >> 20} MiB, more than {LARGEST >> 20}: a sample of 100,000 rows is enough")
    return Baseline(content, f"sha256:{hashlib.sha256(content).hexdigest()}", rows, columns)


def _as_parquet(path: Path) -> bytes:
    if path.suffix != ".csv":
        raise CliError(f"{path} is neither *.csv with a header nor *.parquet")
    import pyarrow.csv
    import pyarrow.parquet

    sink = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.csv.read_csv(path), sink, compression="zstd")
    return sink.getvalue()


def _look(content: bytes) -> tuple[int, tuple[str, ...]]:
    import pyarrow.parquet

    file: Any = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    return int(file.metadata.num_rows), tuple(file.schema_arrow.names)
