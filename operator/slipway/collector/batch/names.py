"""Names of columns that every reader of the table takes: Delta and Spark refuse some characters, and Spark sees no case."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping

MAX_LENGTH = 128
"""Characters."""
_UNFIT = re.compile(r"[^\w.\-]", re.UNICODE)
"""Also quotes, slashes and backslashes: no name needs care where it is put into a query."""


def cleaned(name: str) -> str:
    """The name with `_` for every character that is not a letter, a digit, `_`, `.` or `-`, and cut to `MAX_LENGTH`."""
    return _UNFIT.sub("_", name)[:MAX_LENGTH]


def assign(names: Iterable[str], taken: Mapping[str, str]) -> dict[str, str]:
    """The column for each name.

    `taken`: the original name of every column there is, by column. A name that has one keeps it; a new one gets its cleaned form, or, where
    another name has that but for case, that with a part of its hash. So the answer does not hang on what else is in a batch, once
    a column exists.
    """
    owners = {original: column for column, original in taken.items()}
    folded = {column.casefold() for column in taken}
    found: dict[str, str] = {}
    for name in names:
        if name not in owners:
            owners[name] = _free(name, folded)
            folded.add(owners[name].casefold())
        found[name] = owners[name]
    return found


def _free(name: str, folded: set[str]) -> str:
    column, digest = cleaned(name), name.encode(errors="surrogatepass")
    while column.casefold() in folded:
        digest = hashlib.sha256(digest).digest()
        column = f"{cleaned(name)[: MAX_LENGTH - 9]}_{digest.hex()[:8]}"
    return column
