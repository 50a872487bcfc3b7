"""The page of a fleet run, opened in a real browser."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from support.fleet_report import report

from loadtest.chromium import FoundChromium, find_chromium
from loadtest.fleet.page import make_page
from loadtest.servers.chromium import Chromium

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("chromium"),
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]


@pytest.fixture(scope="module")
def found() -> FoundChromium:
    """The Chromium of this machine."""
    return find_chromium()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(found: FoundChromium) -> AsyncIterator[Chromium]:
    """One browser for this file."""
    async with Chromium(found) as server:
        yield server


def written(folder: Path, content: str) -> str:
    """The address of a page with this content."""
    file = folder / "fleet.html"
    file.write_text(content, encoding="utf-8")
    return file.as_uri()


async def test_the_page_opens_offline_with_its_plots(browser: Chromium, tmp_path: Path) -> None:
    """Every plot has visible curves and marks, nothing is fetched, nothing complained about."""
    url = written(tmp_path, make_page(report()))
    async with browser.visit(url) as page:
        titles = await page.evaluate("[...document.querySelectorAll('svg')].map(s => s.ariaLabel)")
        sizes = await page.evaluate(
            "[...document.querySelectorAll('svg path.curve')].map(p => p.getTotalLength())"
        )
        marks = await page.evaluate("document.querySelectorAll('svg path.mark').length")
        heading = await page.evaluate("document.querySelector('h1').innerText")
        picture = await page.picture()

        assert [title.partition(",")[0].split()[0] for title in titles] == [
            "Messages", "Milliseconds", "Milliseconds", "Messages", "Memory", "CPU",
        ]  # fmt: skip
        assert len(sizes) == 14
        assert min(sizes) > 500
        assert marks == 2 * len(titles)
        assert heading == "1,000 devices, 40 s by ws: exact"
        assert page.requests == [url]
        assert page.complaints == []
        assert picture.startswith(b"\x89PNG")


async def test_what_is_wrong_is_on_the_page_as_text(browser: Chromium, tmp_path: Path) -> None:
    """Findings are shown, and nothing in them can become markup."""
    async with browser.visit(written(tmp_path, make_page(report(good=False)))) as page:
        text = await page.evaluate("document.body.innerText")

        assert "not exact" in text
        assert "missing: <b>device-3</b> 7: it was acknowledged" in text
        assert await page.evaluate("document.querySelectorAll('li b').length") == 0
        assert page.complaints == []


async def test_the_browser_would_notice(browser: Chromium, tmp_path: Path) -> None:
    """A page that fetches something or complains is seen doing so: the checks above can fail."""
    made = make_page(report())
    noisy = made.replace("</body>", '<script>console.error("x")</script></body>')
    noisy = noisy.replace("</body>", '<img src="http://127.0.0.1:9/pixel.png"></body>')
    noisy = noisy.replace("default-src 'none'", "default-src 'unsafe-inline' *")
    noisy = noisy.replace("img-src data:;", "")
    async with browser.visit(written(tmp_path, noisy)) as page:
        assert any("pixel.png" in address for address in page.requests)
        assert page.complaints
