"""What a CRD says about a kind beside its schema."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class PrinterColumn:
    """A column of `kubectl get`; `wide` ones show only with `-o wide`."""

    name: str
    json_path: str
    type: str = "string"
    wide: bool = False


@dataclass(frozen=True)
class Kind:
    """Names, columns and subresources of a kind in group slipway.dev."""

    name: str
    plural: str
    short_name: str
    columns: tuple[PrinterColumn, ...]
    scale: bool = False
    namespaced: bool = True
    status: bool = True
    """Whether Slipway answers in `status`."""

    @property
    def singular(self) -> str:
        return self.name.lower()
