"""A process that appends entries: `python -m tests.integration.ledger.writing PREFIX NUMBER…`, the store by AWS_* in the environment."""

from __future__ import annotations

import asyncio
import os
import sys

from slipway.objectstore.s3 import S3Store
from tests.integration.ledger.samples import BUCKET, entry, open_ledger


async def main(prefix: str, numbers: list[int]) -> None:
    secret = {name: value for name, value in os.environ.items() if name.startswith("AWS_")}
    async with S3Store.opened(BUCKET, prefix, secret) as store, open_ledger(store) as ledger:
        for number in numbers:
            await ledger.append([entry(number)])
            print(number, flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], [int(number) for number in sys.argv[2:]]))
