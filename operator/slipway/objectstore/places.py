"""Where a bucket is, and with what it is opened: URIs, and folders of mounted Secrets."""

from __future__ import annotations

from pathlib import Path


def split_uri(uri: str) -> tuple[str, str]:
    """`s3://BUCKET/PREFIX` → (bucket, prefix). Raises ValueError."""
    bucket, _, prefix = uri.removeprefix("s3://").partition("/")
    if not uri.startswith("s3://") or not bucket:
        raise ValueError(f"{uri!r} must be s3://BUCKET/PREFIX")
    return bucket, prefix.strip("/")


def read_secret(folder: Path) -> dict[str, str]:
    """The `AWS_*` files of a mounted Secret; `ca.crt` is its CA bundle."""
    found = {file.name: file.read_text().strip() for file in folder.iterdir() if file.name.startswith("AWS_") and file.is_file()}
    authority = folder / "ca.crt"
    return found | ({"AWS_CA_BUNDLE": str(authority)} if authority.is_file() else {})
