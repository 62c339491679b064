"""Headless Chromium, driven by its own debugging protocol."""

from __future__ import annotations

import asyncio
import base64
import itertools
import shutil
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.wait import until

FLAGS = ("--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--remote-debugging-port=0")


def chromium() -> str:
    """The program; Debian's package is installed where there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found:
        return found
    subprocess.run(["apt-get", "update", "-qq"], check=True)
    subprocess.run(["apt-get", "install", "-qq", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"], check=True)
    return shutil.which("chromium") or "chromium"


@dataclass
class Tab:
    """A page, and every request that it made."""

    socket: aiohttp.ClientWebSocketResponse
    session: str = ""
    requests: list[str] = field(default_factory=list)
    told: list[str] = field(default_factory=list)
    """Methods of events, in order."""
    dialogs: int = 0
    numbers: Any = field(default_factory=lambda: itertools.count(1))

    async def call(self, method: str, **params: Any) -> Any:
        """One command and its answer; events on the way are kept."""
        number = next(self.numbers)
        message = {"id": number, "method": method, "params": params} | ({"sessionId": self.session} if self.session else {})
        await self.socket.send_json(message)
        while True:
            answer = await self._next()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    async def open(self, page: Path, width: int, dark: bool) -> None:
        """Shows the page on a screen of that width."""
        await self.call("Emulation.setDeviceMetricsOverride", width=width, height=800, deviceScaleFactor=1, mobile=width < 700)
        await self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])
        await self.call("Page.enable")
        await self.call("Network.enable")
        self.told.clear()
        await self.call("Page.navigate", url=page.as_uri())
        while "Page.loadEventFired" not in self.told:
            await self._next()

    async def evaluate(self, script: str) -> Any:
        """What the script comes to."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def shoot(self, path: Path) -> None:
        """A picture of the whole page."""
        answer = await self.call("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    async def _next(self) -> Any:
        async with asyncio.timeout(60):
            message = await self.socket.receive_json()
        if method := message.get("method"):
            self.told.append(method)
        if method == "Network.requestWillBeSent":
            self.requests.append(message["params"]["request"]["url"])
        if method == "Page.javascriptDialogOpening":
            self.dialogs += 1
        return message


def _start(profile: Path) -> subprocess.Popen[bytes]:
    command = [chromium(), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Tab]:
    """A new tab of a new browser, which ends with the context."""
    profile = folder / "profile"
    process = _start(profile)
    try:
        said = profile / "DevToolsActivePort"
        until(lambda: said.exists() and len(said.read_text().splitlines()) == 2, 60, "the browser", every=0.05)
        port, path = said.read_text().splitlines()
        async with aiohttp.ClientSession() as session, session.ws_connect(f"http://127.0.0.1:{port}{path}", max_msg_size=0) as socket:
            tab = Tab(socket)
            target = await tab.call("Target.createTarget", url="about:blank")
            tab.session = (await tab.call("Target.attachToTarget", targetId=target["targetId"], flatten=True))["sessionId"]
            yield tab
    finally:
        process.kill()
        process.wait()
