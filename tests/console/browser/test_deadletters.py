"""A dead letter in the browser: from its reason over a corrected mapping to a stored reading."""

import json
import re
from pathlib import Path

import pytest
from playwright.async_api import Locator, Page, expect
from support.browser import Visiting, until

from loadtest.mapping import MAPPING
from loadtest.service import Service
from loadtest.stack import Stack

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]
GERMAN = {"deviceid": "g", "clientid": "1", "druck": 12.5, "metakey": "200100001"}
CORRECTED = MAPPING.replace("viscosity =", 'druck = { path = "druck" }\nviscosity =')


async def send(stack: Stack, *bodies: str) -> None:
    """Put messages into the queue."""
    for body in bodies:
        await stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=body)


async def looked(page: Page, group: Locator) -> int:
    """How often the group is there after another look."""
    await page.get_by_role("button", name="Look again").click()
    return await group.count()


async def test_corrected_and_replayed(
    visit: Visiting, stack: Stack, service: Service, mapping_file: Path
) -> None:
    """Reason, place, another mapping tried, put in force, replayed, stored."""
    await send(stack, json.dumps(GERMAN))
    async with visit() as console:
        console.expected = ("Failed to load resource: net::ERR_",)
        page = console.page
        await console.show("dead-letters")
        group = page.locator(".group", has_text="no-fields")
        await until(lambda: looked(page, group), 1)
        await group.locator(".samples a").click()
        await expect(group.get_by_label("Payload")).to_contain_text('"druck"')
        await expect(group.locator(".outcome")).to_contain_text("It becomes no line.")

        await group.get_by_role("button", name="Try another mapping").click()
        await expect(page.get_by_role("textbox", name="Payload")).to_have_value(json.dumps(GERMAN))
        await page.get_by_label("With another mapping").check()
        mapping = page.get_by_label("Mapping", exact=True)
        await expect(mapping).to_have_value(MAPPING.strip())
        await mapping.fill(CORRECTED)
        await page.get_by_role("button", name="Try", exact=True).click()
        await expect(page.locator(".outcome")).to_contain_text("druck=12.5")

        mapping_file.write_text(CORRECTED)  # noqa: ASYNC240 - a small file
        try:
            await service.restart()
            await expect(page.locator(".connection")).to_have_text("Live")
            await page.get_by_role("link", name="Dead letters").click()
            await group.locator(".samples a").click()
            await expect(group.locator(".outcome")).to_contain_text("It becomes a line.")
            await group.get_by_role("button", name=re.compile("Replay.*no-fields")).click()
            await page.get_by_role("dialog").get_by_role("button", name="Replay 1 letter").click()
            await expect(page.locator(".said")).to_contain_text("1 of 1 letter done.")
            await until(lambda: stored(stack), [12.5])
        finally:
            mapping_file.write_text(MAPPING)  # noqa: ASYNC240 - a small file
            await service.restart()


async def stored(stack: Stack) -> list[float]:
    """The values that are stored of the German device."""
    rows = await stack.influxd.query_influxql("SELECT druck FROM pressure WHERE sensorID = 'g1'")
    return [row["druck"] for row in rows]


async def test_purged(visit: Visiting, stack: Stack) -> None:
    """What is purged was counted and confirmed; its hostile payload was text."""
    await send(stack, '{"pressure": <script>alert(3)</script>')
    async with visit() as console:
        page = console.page
        await console.show("dead-letters")
        group = page.locator(".group", has_text="decode")
        await until(lambda: looked(page, group), 1)
        await group.locator(".samples a").first.click()
        await expect(group.get_by_label("Payload")).to_contain_text("<script>alert(3)</script>")
        hint = group.locator(":scope > .more")
        await expect(hint.locator("code").first).to_have_text("format")
        await expect(hint).not_to_contain_text("`")
        await group.get_by_role("button", name="Purge").first.click()
        dialog = page.get_by_role("dialog", name="Purge 1 letter?")
        await dialog.get_by_role("button", name="Cancel").click()
        await expect(group).to_be_visible()
        await group.get_by_role("button", name="Purge").first.click()
        await dialog.get_by_role("button", name="Purge 1 letter").click()
        await expect(page.locator(".said")).to_contain_text("1 of 1 letter done.")
        await expect(group).to_have_count(0)
