"""`slipway-fetch`: brings the artifact to its folder, checks its digest, and says in one line why it could not."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from slipway_runtime.failure import DigestMismatch, Failure, FetchFailed, last_line, report
from slipway_runtime.fetch.claim import ClaimSource
from slipway_runtime.fetch.download import Pause, download, empty_folder
from slipway_runtime.fetch.s3 import S3Source
from slipway_runtime.fetch.settings import SECRET_FOLDER, FetchSettings, apply_environment
from slipway_runtime.fetch.signature import SignedFiles, beside, read_signature
from slipway_runtime.fetch.source import Source
from slipway_runtime.fetch.web import WebSource


def main() -> None:
    """Fetch what the environment names; exit 0, or 1 with the reason in the termination message."""
    # As PID 1 a process without a handler ignores SIGTERM. A half-full folder is fine: the next run starts clean.
    signal.signal(signal.SIGTERM, lambda *_: os._exit(128 + signal.SIGTERM))
    sys.exit(run())


def run(secret_folder: Path = SECRET_FOLDER) -> int:
    """The exit code of one fetch."""
    settings: FetchSettings | None = None
    try:
        settings = FetchSettings.load(os.environ, secret_folder)
        apply_environment(settings.environment)
        asyncio.run(fetch(settings))
    except Failure as failure:
        report(type(failure)(settings.public(str(failure)) if settings else str(failure)))
        return 1
    except Exception as error:
        report(FetchFailed(settings.public(last_line(error)) if settings else last_line(error)))
        return 1
    return 0


async def fetch(settings: FetchSettings, pause: Pause = asyncio.sleep) -> None:
    """Fill the target with the artifact, from clean. Raises Failure, and then leaves the target empty."""
    began = time.monotonic()
    try:
        empty_folder(settings.target)
        signed = await _signed(settings, pause) if settings.signed_by else None
        async with AsyncExitStack() as stack:
            tree = await download(await _open(settings, stack), settings.target, pause)
        digest = tree.digest()
        if digest != settings.digest:
            raise DigestMismatch(
                f"{settings.public_uri} has digest {digest}, the ModelVersion names {settings.digest}: "
                "what is stored is not what was registered; push it again as a new version"
            )
        if signed:
            signed.require(tree.files)
    except BaseException:
        empty_folder(settings.target)
        raise
    state = " signed" if signed else ""
    print(f"fetched{state} {settings.public_uri} {digest} in {time.monotonic() - began:.1f} s", flush=True)


async def _signed(settings: FetchSettings, pause: Pause) -> SignedFiles:
    """What the signature covers; read first, so that a missing or foreign one costs no download."""
    bundle = replace(settings, uri=beside(settings.uri))
    async with AsyncExitStack() as stack:
        return await read_signature(await _open(bundle, stack), bundle, pause)


async def _open(settings: FetchSettings, stack: AsyncExitStack) -> Source:
    scheme = urlsplit(settings.uri).scheme
    if scheme == "s3":
        return await stack.enter_async_context(S3Source.opened(settings))
    if scheme in ("https", "http"):
        return await stack.enter_async_context(WebSource.opened(settings))
    if scheme == "pvc":
        return ClaimSource(settings)
    raise FetchFailed(f"{settings.public_uri} is not supported: use s3://, https:// or pvc://")
