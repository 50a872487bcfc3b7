"""A browser that looks at the console as a person does, and notices what a person would not."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from playwright.async_api import Browser, Page, ViewportSize, async_playwright, expect

from loadtest.chromium import FoundChromium
from loadtest.console import PAGE
from loadtest.devices import make_devices
from loadtest.records import RECORDS

VIEWS = {
    "overview": "Overview",
    "devices": "Devices",
    "metadata": "Metadata",
    "dead-letters": "Dead letters",
    "pipeline": "Pipeline",
    "mapping": "Mapping",
}
DEVICES = make_devices(20, RECORDS, seed=1)
DEVICE = DEVICES[0].sensor
HOSTILE = "<script>alert(1)</script>"
"""The name of a device, which is a name."""
PATIENCE_MS = 60_000
"""How long something may take to appear on a machine that has other things to do."""
WIDE = {"width": 1280, "height": 860}
PHONE: ViewportSize = {"width": 360, "height": 740}
_FLAGS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip
_AXE = PAGE / "node_modules" / "axe-core" / "axe.min.js"


@dataclass
class Visit:
    """A page that is open. `expected` are beginnings of complaints that a test provokes."""

    page: Page
    base: str
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)
    expected: tuple[str, ...] = ()

    async def show(self, view: str, **query: str) -> None:
        """Go to a view by its address and wait for its heading."""
        tail = "&".join(f"{name}={value}" for name, value in query.items())
        await self.page.goto(f"{self.base}/#/{view}{'?' if tail else ''}{tail}")
        await expect(self.page.locator("main h1")).to_be_visible()

    async def settled(self) -> None:
        """Wait until nothing is loading any more."""
        await expect(self.page.locator("main .loading")).to_have_count(0)

    async def violations(self) -> list[str]:
        """What axe-core calls serious or critical, as one text each."""
        if not await self.page.evaluate("'axe' in window"):
            await self.page.evaluate(_AXE.read_text())
        found = await self.page.evaluate(
            "axe.run(document, {resultTypes: ['violations']}).then(r => r.violations)"
        )
        return list(_serious(found))

    async def is_too_wide(self) -> bool:
        """Whether one would have to scroll sideways."""
        wide: bool = await self.page.evaluate(
            "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        )
        return wide

    def check(self) -> None:
        """Nothing went elsewhere, and the browser complained about nothing but what is expected."""
        elsewhere = [url for url in self.requests if not self._is_here(url)]
        assert elsewhere == []
        assert [
            each for each in self.complaints if not each.startswith(self.expected or ("\0",))
        ] == []

    def _is_here(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.scheme in {"data", "blob"} or f"{parts.scheme}://{parts.netloc}" == self.base


Visiting = Callable[..., AbstractAsyncContextManager[Visit]]
"""Opens the console; takes the options of a browser context."""


async def until(look: Callable[[], Awaitable[object]], wanted: object) -> None:
    """Look again and again until it is as wanted."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while await look() != wanted:  # noqa: ASYNC110 - it is elsewhere, and sets no event
            await asyncio.sleep(0.2)


def _serious(violations: list[dict[str, Any]]) -> Iterator[str]:
    for each in violations:
        if each["impact"] in {"serious", "critical"}:
            places = [node["html"][:200] for node in each["nodes"][:3]]
            yield f"{each['id']}: {each['help']}: {places}"


@asynccontextmanager
async def chromium(found: FoundChromium, downloads: Path) -> AsyncIterator[Browser]:
    """Debian's Chromium, driven by Playwright, which brings no browser of its own."""
    expect.set_options(timeout=PATIENCE_MS)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=found.path,
            args=list(_FLAGS),
            env={**os.environ, **found.variables},
            downloads_path=downloads,
        )
        yield browser
        await browser.close()


@asynccontextmanager
async def visiting(browser: Browser, base: str, **options: Any) -> AsyncIterator[Visit]:
    """A page in a context of its own; at the end it is checked."""
    context = await browser.new_context(**{"viewport": WIDE, "reduced_motion": "reduce", **options})
    context.set_default_timeout(PATIENCE_MS)
    page = await context.new_page()
    visit = Visit(page, base)
    page.on("request", lambda request: visit.requests.append(request.url))
    page.on("pageerror", lambda error: visit.complaints.append(str(error)))
    page.on("dialog", lambda dialog: visit.complaints.append(f"dialog: {dialog.message}"))
    page.on("console", lambda message: visit.complaints.append(message.text))
    try:
        yield visit
        visit.check()
    finally:
        await context.close()
