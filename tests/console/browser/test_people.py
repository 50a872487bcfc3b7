"""People who have no mouse, no server, or devices with hostile names."""

import pytest
from playwright.async_api import Page, expect
from support.browser import DEVICE, HOSTILE, Visiting

from loadtest.service import Service

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]
MARKUP = "<img src=x onerror=alert(2)>"


async def focused(page: Page) -> str:
    """The words of what has the focus."""
    words: str = await page.evaluate(
        "document.activeElement.ariaLabel ?? document.activeElement.innerText.trim()"
    )
    return words


async def test_keyboard(visit: Visiting) -> None:
    """By keys alone: skip to the content, change the view, answer a question, come back."""
    async with visit() as console:
        page = console.page
        await console.show("overview")
        await console.settled()
        await page.keyboard.press("Tab")
        assert await focused(page) == "Skip to content"
        await page.keyboard.press("Enter")
        assert await page.evaluate("document.activeElement.id") == "main"

        link = page.get_by_role("link", name="Metadata")
        await link.focus()
        await page.keyboard.press("Enter")
        await expect(page.locator("main h1")).to_have_text("Metadata")
        await expect(page.locator("main h1")).to_be_focused()
        await expect(page).to_have_title("Metadata · ingestor")
        await expect(link).to_have_attribute("aria-current", "page")

        await page.keyboard.press("Tab")
        assert await focused(page) == "Add a record"
        await page.keyboard.press("Enter")
        await expect(page.get_by_role("dialog", name="Add a record")).to_be_visible()
        await expect(page.get_by_label("Key", exact=True)).to_be_focused()
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("dialog")).to_have_count(0)
        assert await focused(page) == "Add a record"


async def test_everything_can_be_reached(visit: Visiting) -> None:
    """Tab goes through all that can be used, each with a name and a visible focus."""
    async with visit() as console:
        await console.show("devices")
        await console.settled()
        names = []
        for _ in range(20):
            await console.page.keyboard.press("Tab")
            names.append(
                await console.page.evaluate(
                    "[document.activeElement.matches(':focus-visible'), "
                    "document.activeElement.labels?.[0]?.innerText.split('\\n')[0]?.trim() || "
                    "document.activeElement.ariaLabel || document.activeElement.innerText.trim()]"
                )
            )
        assert all(visible for visible, _ in names)
        assert [name for _, name in names][:11] == [
            "Skip to content", "ingestor", "Overview", "Devices", "Metadata", "Dead letters",
            "Pipeline", "Mapping", "Search", "State", "Attribute",
        ]  # fmt: skip


async def test_hostile_names(visit: Visiting) -> None:
    """What devices and records are called is text: no element comes of it, no dialog, no report."""
    async with visit() as console:
        page = console.page
        await console.show("devices", q="script")
        row = page.get_by_role("row", name=HOSTILE)
        await expect(row).to_contain_text(MARKUP)
        await row.get_by_role("link").click()
        await expect(page.locator("main h1")).to_have_text(HOSTILE)
        await console.settled()
        await page.get_by_role("link", name="Metadata").last.click()
        await expect(page.get_by_label("Value of manufacturer")).to_have_value(MARKUP)
        await expect(page).to_have_title(f"{HOSTILE} · Metadata · ingestor")
        assert await page.locator("main :is(script, img)").count() == 0


async def test_server_lost_and_back(visit: Visiting, service: Service) -> None:
    """A server that is gone is told of, old figures stay, and the page recovers by itself."""
    async with visit() as console:
        console.expected = ("Failed to load resource: net::ERR_",)
        page = console.page
        row = page.get_by_role("row", name=DEVICE)
        state = page.locator(".connection")
        await console.show("devices")
        await expect(row).to_be_visible()
        await expect(state).to_have_text("Live")
        await service.kill()
        try:
            await expect(state).to_contain_text("No connection")
            await expect(page.get_by_text("This is not up to date")).to_be_visible()
            await expect(row).to_be_visible()
            await page.get_by_role("link", name="Mapping").click()
            await expect(page.get_by_role("alert")).to_contain_text("The server does not answer.")
        finally:
            await service.restart()
        await expect(state).to_have_text("Live")
        await expect(page.get_by_text("Tag sensorID")).to_be_visible()
        await page.get_by_role("link", name="Devices").click()
        await expect(row).to_contain_text("reporting")


async def test_the_browser_would_notice(visit: Visiting) -> None:
    """Script in the page and requests elsewhere are refused and seen: the checks can fail."""
    async with visit() as console:
        await console.show("overview")
        console.expected = (
            "Executing inline script",
            "This document requires",
            "Refused",
            "Connecting",
        )
        refused = await console.page.evaluate(
            "(() => { try { document.body.innerHTML = '<b>x</b>'; return false } "
            "catch { return true } })()"
        )
        assert refused
        await console.page.evaluate(
            "document.body.append(Object.assign(document.createElement('img'), "
            "{src: 'http://127.0.0.1:9/pixel.png'}))"
        )
        await console.page.wait_for_function("document.images[0].complete")
        assert console.complaints
        with pytest.raises(AssertionError):
            console.check()
        console.complaints.clear()
        console.requests.clear()
