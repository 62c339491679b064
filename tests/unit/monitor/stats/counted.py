"""Rows made into profiles and windows, as a run does it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from slipway.monitor.stats.convert import Kind, kind_of
from slipway.monitor.stats.profile import Profile, build
from slipway.monitor.stats.scan import Scanner
from slipway.monitor.stats.window import WindowProfile

Rows = Mapping[str, Any]


def batch(rows: Rows) -> pa.RecordBatch:
    return pa.record_batch({name: pa.array(values) for name, values in rows.items()})


def kinds(rows: Rows) -> dict[str, Kind]:
    return {name: kind_of(pa.array(values).type) for name, values in rows.items()}


def profile_of(rows: Rows, parts: int = 3) -> Profile:
    return build(pieces(rows, parts), kinds(rows))


def window_of(rows: Rows, profile: Profile | None, columns: Mapping[str, Kind] | None = None, parts: int = 3, **more: Any) -> WindowProfile:
    scanner = Scanner(profile, columns or kinds(rows), **more)
    for piece in pieces(rows, parts):
        scanner.add(piece)
    return scanner.window()


def pieces(rows: Rows, parts: int) -> Sequence[pa.RecordBatch]:
    whole = batch(rows)
    size = max(1, -(-len(whole) // parts))
    return [whole.slice(start, size) for start in range(0, len(whole), size)]


def normal(seed: int, rows: int, mean: float = 0.0, deviation: float = 1.0) -> np.ndarray[Any, Any]:
    return np.random.default_rng(seed).normal(mean, deviation, rows)
