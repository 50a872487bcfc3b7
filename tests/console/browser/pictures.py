"""Draws the pictures of `ingestor/console/README.md`: run by `make pictures` alone."""

import asyncio

import pytest
from playwright.async_api import expect
from support.browser import DEVICE, PHONE, WIDE, Visiting

from loadtest.console import PAGE
from loadtest.stack import Stack

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.timeout(900)]
PICTURES = PAGE.parent / "pictures"
POISON = (
    '{"deviceid": "pump-17", "clientid": "a", "pressure": "high", "metakey": "200100001"}',
    '{"deviceid": "pump-18", "clientid": "a", "pressure": "n/a", "metakey": "200100002"}',
    '{"deviceid": "pump-17", "pressure": 12.5,',
)
SECONDS = 120
"""How long the job runs before its figures are drawn."""
DRAWN = {
    "overview-light": ("overview", "light", WIDE),
    "overview-dark": ("overview", "dark", WIDE),
    "device": (f"devices/{DEVICE}", "light", WIDE),
    "pipeline": ("pipeline", "light", WIDE),
    "overview-phone": ("overview", "light", PHONE),
    "devices-phone": ("devices", "dark", PHONE),
}


async def test_draw(visit: Visiting, stack: Stack) -> None:
    """A job that has run for two minutes, with three dead letters."""
    for body in POISON:
        await stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=body)
    await asyncio.sleep(SECONDS)
    PICTURES.mkdir(exist_ok=True)
    for name, (view, scheme, size) in DRAWN.items():
        async with visit(color_scheme=scheme, viewport=size) as console:
            await console.show(view)
            await console.settled()
            await expect(console.page.locator(".connection")).to_have_text("Live")
            await asyncio.sleep(2)
            await console.page.screenshot(path=PICTURES / f"{name}.png")
    async with visit() as console:
        await console.show("dead-letters")
        await console.page.locator(".samples a").first.click()
        await expect(console.page.get_by_label("Payload")).to_be_visible()
        await console.settled()
        await console.page.screenshot(path=PICTURES / "dead-letter.png")
    assert not console.complaints
