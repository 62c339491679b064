"""Which columns a run looks at, and what may be in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from slipway.api.v1alpha1.model_monitor import ModelMonitorSpec
from slipway.monitor.log.reading import LogTable
from slipway.monitor.stats.convert import Kind, kind_of
from slipway.monitor.stats.profile import Profile

FEATURE, OUTPUT = "in_", "out_"


@dataclass(frozen=True)
class Columns:
    """By columns of the log, the names that users know."""

    features: Mapping[str, str]
    outputs: Mapping[str, str]
    kinds: Mapping[str, Kind]
    ranges: Mapping[str, tuple[float | None, float | None]] = field(default_factory=dict)
    categories: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, str]:
        """Features and outputs."""
        return {**self.features, **self.outputs}


def columns_of(predictions: LogTable, spec: ModelMonitorSpec, model: Mapping[str, Any], profile: Profile | None) -> Columns:
    """Those that the spec's checks need: of the log, of the baseline, and features that the Model's schema declares."""
    declared = {column["name"]: column for column in ((model.get("spec") or {}).get("schema") or {}).get("inputs") or []}
    kinds: dict[str, Kind] = {name: column.kind for name, column in profile.columns.items()} if profile else {}
    kinds |= {name: kind_of(kind) for name, kind in predictions.columns.types.items()}
    by_original = predictions.by_original
    for name, column in declared.items():
        kinds.setdefault(
            by_original.get(FEATURE + name, FEATURE + name), "Category" if column["datatype"] in ("BYTES", "BOOL") else "Number"
        )
    shown = {name: predictions.columns.originals.get(name, name) for name in kinds}
    features = _with(FEATURE, shown) if spec.drift or spec.data_quality else {}
    outputs = _with(OUTPUT, shown) if spec.prediction_drift else {}
    allowed = {name: declared[feature] for name, feature in features.items() if feature in declared}
    return Columns(
        features,
        outputs,
        {name: kind for name, kind in kinds.items() if name in features or name in outputs},
        {name: (column.get("min"), column.get("max")) for name, column in allowed.items()},
        {name: column["categories"] for name, column in allowed.items() if column.get("categories")},
    )


def _with(prefix: str, shown: Mapping[str, str]) -> dict[str, str]:
    return {name: original.removeprefix(prefix) for name, original in sorted(shown.items()) if name.startswith(prefix)}
