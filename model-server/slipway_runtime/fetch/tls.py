"""Which certificate authorities a fetch trusts: the system's, and beside them the Secret's `ca.crt`."""

from __future__ import annotations

import ssl
from pathlib import Path

import botocore.httpsession

from slipway_runtime.failure import FetchFailed

DEBIAN_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def trusted_bundle(extra_pem: str | None) -> str:
    """PEM text of every trusted certificate; where the image has no system bundle, the one that botocore carries."""
    candidates = (ssl.get_default_verify_paths().cafile, DEBIAN_BUNDLE, botocore.httpsession.DEFAULT_CA_BUNDLE)
    bundle = next(Path(path) for path in candidates if path and Path(path).is_file()).read_text("utf-8", "ignore")
    return f"{bundle}\n{extra_pem}\n" if extra_pem else bundle


def tls_context(extra_pem: str | None) -> ssl.SSLContext:
    """A client's TLS context that verifies against `trusted_bundle`. Raises FetchFailed where `ca.crt` is no PEM."""
    try:
        context = ssl.create_default_context()
        context.load_verify_locations(cadata=trusted_bundle(None))
        if extra_pem is not None:
            context.load_verify_locations(cadata=extra_pem)
    except ssl.SSLError as error:
        raise FetchFailed(f"the Secret's ca.crt is not a PEM certificate ({error.reason}): replace it") from error
    return context
