"""What a fetch is told: the environment of the init container and the files of the artifact's Secret (docs/contracts.md)."""

from __future__ import annotations

import json
import os
import re
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from slipway_runtime.failure import FetchFailed

SECRET_FOLDER = Path("/var/run/secrets/slipway/artifact")
CLAIM_FOLDER = Path("/mnt/pvc")
ENVIRONMENT_KEY = re.compile(r"AWS_[A-Z0-9_]+|HTTP_PROXY|HTTPS_PROXY|NO_PROXY")
CONFIDENTIAL = ("AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "token", "password")


@dataclass(frozen=True)
class FetchSettings:
    """One fetch, settled before anything is opened."""

    uri: str
    digest: str
    """`sha256:<64 hex>` that the artifact must have."""
    target: Path
    """The folder that will hold the artifact and nothing else."""
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    """The Secret's keys and values; empty when the ModelVersion names none."""
    secret_name: str = "in spec.artifact.secretName"
    """What to call the Secret in advice."""
    claims: Path = CLAIM_FOLDER
    """Where claims are mounted, a folder a claim."""
    signed_by: tuple[str, ...] = ()
    """Public keys (PEM), one of which must have signed the artifact; empty: no signature is asked for."""

    @classmethod
    def load(cls, environment: Mapping[str, str], secret_folder: Path = SECRET_FOLDER) -> FetchSettings:
        """Read the environment and the Secret's files. Raises FetchFailed when a variable is missing or malformed."""
        try:
            uri, digest = environment["SLIPWAY_ARTIFACT_URI"], environment["SLIPWAY_ARTIFACT_DIGEST"]
            target = Path(environment["SLIPWAY_ARTIFACT_TARGET"])
        except KeyError as missing:
            raise FetchFailed(f"the environment variable {missing.args[0]} is not set") from None
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
            raise FetchFailed(f"SLIPWAY_ARTIFACT_DIGEST is {digest!r}: it must be sha256: and 64 hex digits")
        name = environment.get("SLIPWAY_ARTIFACT_SECRET") or cls.secret_name
        signed_by = _read_keys(environment.get("SLIPWAY_SIGNED_BY") or "[]")
        return cls(uri, digest, target, read_secret(secret_folder), name, signed_by=signed_by)

    @property
    def environment(self) -> dict[str, str]:
        """The Secret's keys that act as environment variables: AWS_* and the proxies."""
        return {key: value for key, value in self.secret.items() if ENVIRONMENT_KEY.fullmatch(key)}

    @property
    def public_uri(self) -> str:
        """The URI without user, password and query (a pre-signed URL is a credential)."""
        return without_credentials(self.uri)

    def public(self, text: str) -> str:
        """The text with no credential in it, fit for a status and a log."""
        for key in CONFIDENTIAL:
            if value := self.secret.get(key) or os.environ.get(key):
                text = text.replace(value, "***")
        return without_credentials(text)


def without_credentials(text: str) -> str:
    """Every URL in the text loses its user, password and query."""
    text = re.sub(r"(?<=://)[^/\s'\"?#]*@", "", text)
    return re.sub(r"(\w+://[^\s?'\"]+)\?[^\s'\"]*", r"\1", text)


def _read_keys(text: str) -> tuple[str, ...]:
    try:
        keys = json.loads(text)
    except ValueError:
        keys = None
    if not isinstance(keys, list) or not all(isinstance(key, str) for key in keys):
        raise FetchFailed(
            "SLIPWAY_SIGNED_BY is not a JSON list of public keys: it comes from ApprovalPolicies; correct their require.signedBy"
        )
    return tuple(keys)


def read_secret(folder: Path) -> dict[str, str]:
    """The Secret's files; Kubernetes keeps its own bookkeeping beside them under names that begin with two dots."""
    if not folder.is_dir():
        return {}
    files = [file for file in folder.iterdir() if not file.name.startswith("..") and file.is_file()]
    return {file.name: file.read_text("utf-8", "surrogateescape").strip() for file in files}


def apply_environment(variables: Mapping[str, str]) -> None:
    """Set the variables for this process; a proxy replaces its lower-case twin as well, which urllib would prefer."""
    for key, value in variables.items():
        os.environ[key] = value
        if key.endswith("_PROXY"):
            os.environ[key.lower()] = value


def proxies() -> dict[str, str]:
    """The proxies of the environment by scheme (`https` → URL)."""
    return urllib.request.getproxies_environment()
