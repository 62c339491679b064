"""What the demo asks the audit ledger: what happened, whether it was altered since, and a proof that anybody can check offline."""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from checks import PLATFORM, Mismatch, Tools

SIGNED_WITHIN_SECONDS = 60
"""A new entry is signed with the next checkpoint, which is due within ten seconds while the ledger is small."""


def entries_of(tools: Tools, deployment: str) -> list[dict[str, Any]]:
    """All entries about a ModelDeployment, the newest first; those of earlier demos are about another one of its name."""
    uid = tools.kubectl("get", "slmd", deployment, "-o", "jsonpath={.metadata.uid}")
    found = json.loads(tools.slipway("audit", "--deployment", deployment, "-o", "json", "-n", tools.namespace))
    return [entry for entry in found if entry["object"]["uid"] == uid]


def what_happened(tools: Tools, deployment: str) -> str:
    """The entries as people read them. Raises Mismatch when the demo's own steps are not all there."""
    told = [entry["reason"] for entry in reversed(entries_of(tools, deployment))]
    wanted = ["RolloutStarted", "Serving", "RolloutStarted", "Serving"]
    if told != wanted:
        raise Mismatch(f"the ledger tells {told}, not {wanted}")
    return tools.slipway("audit", "--deployment", deployment, "-n", tools.namespace)


def rescan(tools: Tools) -> str:
    """Everything read and hashed again."""
    return tools.slipway("audit", "verify")


def proved_offline(tools: Tools, deployment: str, folder: Path) -> str:
    """The proof of the first roll-out, checked with the public key alone."""
    first = entries_of(tools, deployment)[-1]
    file = folder / "proof.json"
    deadline = time.monotonic() + SIGNED_WITHIN_SECONDS
    while not _is_proved(tools, first["id"], file):
        if time.monotonic() > deadline:
            raise Mismatch(f"entry {first['id']} was not signed in {SIGNED_WITHIN_SECONDS} s")
        time.sleep(1)
    key = tools.kubectl("get", "configmap", "slipway-ledger", "-n", PLATFORM, "-o", "jsonpath={.data.vkey}")
    shown = json.loads(tools.slipway("audit", "check", str(file), "--key", key))
    return f"{file.name} proves {shown['id']}, asked for by {', '.join(shown['actors'])}"


def _is_proved(tools: Tools, entry: str, file: Path) -> bool:
    try:
        tools.slipway("audit", "prove", entry, "-o", str(file))
    except subprocess.CalledProcessError:
        return False
    return True
