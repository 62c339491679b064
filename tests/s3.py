"""A real S3 server (versitygw over a folder) for tests."""

from __future__ import annotations

import json
import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from slipway.objectstore.s3 import S3Store
from tests.cluster.tools import binary
from tests.wait import free_port, until

KEYS = {"AWS_ACCESS_KEY_ID": "key", "AWS_SECRET_ACCESS_KEY": "secret-key", "AWS_REGION": "us-east-1"}


@dataclass
class Server:
    """A server, and the folder whose folders are its buckets."""

    folder: Path
    port: int
    accounts: dict[str, str] = field(default_factory=dict)
    """Others than root: access key to secret key. They may do what bucket policies say."""
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def secret(self) -> dict[str, str]:
        return KEYS | {"AWS_ENDPOINT_URL": f"http://127.0.0.1:{self.port}"}

    def bucket(self, name: str) -> str:
        """Makes the bucket; its name."""
        (self.folder / name).mkdir(exist_ok=True)
        return name

    def open(self, bucket: str, prefix: str = "") -> AbstractAsyncContextManager[S3Store]:
        return S3Store.opened(self.bucket(bucket), prefix, self.secret)

    def start(self) -> None:
        command = [str(binary("versitygw")), "--port", f"127.0.0.1:{self.port}", "--quiet", *self._iam(), "posix", str(self.folder)]
        environment = os.environ | {"ROOT_ACCESS_KEY": KEYS["AWS_ACCESS_KEY_ID"], "ROOT_SECRET_KEY": KEYS["AWS_SECRET_ACCESS_KEY"]}
        self.process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(self._answers, 60, "the S3 server", every=0.02)

    def stop(self) -> None:
        """Ends it; what it stores stays."""
        if self.process:
            self.process.kill()
            self.process.wait()
            self.process = None

    def _iam(self) -> list[str]:
        if not self.accounts:
            return []
        folder = self.folder.with_name(f"{self.folder.name}-iam").absolute()
        folder.mkdir(exist_ok=True)
        ids = {"role": "user", "userID": 0, "groupID": 0, "projectID": 0}
        accounts = {access: {"access": access, "secret": secret, **ids} for access, secret in self.accounts.items()}
        (folder / "users.json").write_text(json.dumps({"accessAccounts": accounts}))
        return ["--iam-dir", str(folder)]

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def start_store(folder: Path, **accounts: str) -> Iterator[Server]:
    """A server over `folder`, until the context ends."""
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, free_port(), accounts)
    server.start()
    try:
        yield server
    finally:
        server.stop()
