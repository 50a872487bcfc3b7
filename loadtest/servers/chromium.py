"""A headless Chromium, spoken to by its DevTools protocol."""

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from http import HTTPStatus
from itertools import count
from typing import Any

import aiohttp

from loadtest.chromium import FoundChromium
from loadtest.servers.process import Server, ServerError

_ANSWER_SECONDS = 60.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--disable-dev-shm-usage", "--hide-scrollbars", "--window-size=1100,900",
)  # fmt: skip


class Chromium(Server):
    """One browser with a profile of its own."""

    name = "chromium"

    def __init__(self, found: FoundChromium) -> None:
        self._found = found

    def command(self) -> list[str]:
        """See Server."""
        profile = f"--user-data-dir={self.folder / 'profile'}"
        port = f"--remote-debugging-port={self.port}"
        return [str(self._found.path), *_FLAGS, profile, port, "about:blank"]

    def variables(self) -> Mapping[str, str]:
        """See Server."""
        return self._found.variables

    async def is_ready(self, session: aiohttp.ClientSession) -> bool:
        """See Server."""
        async with session.get(f"{self.url}/json/version") as response:
            return response.status == HTTPStatus.OK

    @asynccontextmanager
    async def visit(self, url: str) -> AsyncIterator["Page"]:
        """Open a page in a tab of its own, and give it when it is loaded."""
        async with aiohttp.ClientSession() as session:
            async with session.put(f"{self.url}/json/new?about:blank") as response:
                tab = await response.json(content_type=None)
            async with (
                session.ws_connect(tab["webSocketDebuggerUrl"], max_msg_size=0) as socket,
                asyncio.TaskGroup() as group,
            ):
                page = Page(socket)
                reader = group.create_task(page.read(), name="devtools")
                try:
                    await page.open(url)
                    yield page
                finally:
                    reader.cancel()


class Page:
    """A page that is open. `requests` are the addresses it asked for, `complaints` what it said.

    Complaints are messages on the console, of any level, and errors that nobody caught.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._socket = socket
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._loaded = asyncio.Event()

    async def read(self) -> None:
        """Take what the browser tells, until cancelled."""
        async for message in self._socket:
            told = json.loads(message.data)
            if (number := told.get("id")) in self._answers:
                self._answers.pop(number).set_result(told)
            else:
                self._happened(told.get("method", ""), told.get("params", {}))

    async def open(self, url: str) -> None:
        """Go there and wait until it is loaded."""
        for domain in ("Page", "Network", "Log", "Runtime"):
            await self._call(f"{domain}.enable")
        self.requests.clear()
        await self._call("Page.navigate", url=url)
        async with asyncio.timeout(_ANSWER_SECONDS):
            await self._loaded.wait()

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression; ServerError when it throws."""
        result = await self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        if "exceptionDetails" in result:
            raise ServerError(f"{expression}: {result['exceptionDetails']}")
        return result["result"].get("value")

    async def picture(
        self, *, width: int | None = None, height: int | None = None, scale: float = 1
    ) -> bytes:
        """The whole page as a PNG, or so many pixels of it from its top and left, enlarged."""
        size = (await self._call("Page.getLayoutMetrics"))["cssContentSize"]
        clip = {
            "x": 0,
            "y": 0,
            "width": width or size["width"],
            "height": height or size["height"],
            "scale": scale,
        }
        answer = await self._call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        return base64.b64decode(answer["data"])

    async def _call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        await self._socket.send_json({"id": number, "method": method, "params": parameters})
        async with asyncio.timeout(_ANSWER_SECONDS):
            told = await answer
        if "error" in told:
            raise ServerError(f"chromium: {method}: {told['error']}")
        result: dict[str, Any] = told["result"]
        return result

    def _happened(self, method: str, told: Mapping[str, Any]) -> None:
        match method:
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])
            case "Page.loadEventFired":
                self._loaded.set()
            case "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps(told["args"]))
            case "Runtime.exceptionThrown":
                self.complaints.append(told["exceptionDetails"]["text"])
            case "Log.entryAdded":
                self.complaints.append(told["entry"]["text"])
            case _:
                pass
