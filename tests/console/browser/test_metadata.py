"""Metadata in the browser: edit, conflict, add, import, export."""

from typing import Any

import pytest
from playwright.async_api import expect
from support.browser import Visiting, until

from loadtest.resources import TABLE
from loadtest.stack import Stack

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]


async def latest_makers(stack: Stack, family: str) -> set[Any]:
    """The manufacturers on the readings of the last two seconds."""
    rows = await stack.influxd.query_influxql(
        "SELECT viscosity, family, manufacturer FROM pressure WHERE time > now() - 2s"
    )
    return {row["manufacturer"] for row in rows if row["family"] == family}


async def put(stack: Stack, **item: dict[str, Any]) -> None:
    """Somebody else writes a record."""
    async with stack.client("dynamodb") as dynamodb:
        await dynamodb.put_item(TableName=TABLE, Item=item)


async def test_edit(visit: Visiting, stack: Stack) -> None:
    """A new manufacturer is on the device's next readings within the TTL of the cache."""
    async with visit() as console:
        page = console.page
        await console.show("metadata", q="tide")
        await page.get_by_role("link", name="300500018").click()
        maker = page.get_by_label("Value of manufacturer")
        await expect(maker).to_have_value("Northwind Fluidics")
        await maker.fill("Southwind & Co")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("form .said")).to_contain_text("Saved.")
        await until(lambda: latest_makers(stack, "tide"), {"Southwind & Co"})
        await console.page.get_by_role("button", name="Use it at once").click()
        await expect(page.locator("form .said")).to_contain_text(
            "next readings get it here at once"
        )


async def test_validation(visit: Visiting) -> None:
    """What cannot be stored is told at its place, and is not sent."""
    async with visit() as console:
        page = console.page
        await console.show("metadata/200100002")
        await page.get_by_label("Value of accuracy").fill("good")
        await expect(page.get_by_text("This is not a number.")).to_be_visible()
        await expect(page.get_by_role("button", name="Save")).to_be_disabled()
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_label("Value of accuracy")).to_have_value("0.1")


async def test_conflict(visit: Visiting, stack: Stack) -> None:
    """Who was slower sees what the other one has saved, and decides."""
    await put(stack, metakey={"S": "conflict"}, family={"S": "old"})
    async with visit() as console:
        console.expected = ("Failed to load resource: the server responded with a status of 412",)
        page = console.page
        await console.show("metadata/conflict")
        await page.get_by_label("Value of family").fill("mine")
        await put(stack, metakey={"S": "conflict"}, family={"S": "theirs"})
        await page.get_by_role("button", name="Save").click()
        await expect(page.get_by_role("alert")).to_contain_text("Somebody else has changed it")
        await expect(page.get_by_role("alert")).to_contain_text("theirs")
        await page.get_by_role("button", name="Take theirs").click()
        await expect(page.get_by_label("Value of family")).to_have_value("theirs")


async def test_add_import_export(visit: Visiting) -> None:
    """A record is added by hand, others from a file that is checked first; all are exported."""
    async with visit() as console:
        console.expected = ("Failed to load resource: the server responded with a status of 422",)
        page = console.page
        await console.show("metadata")
        await page.get_by_role("button", name="Add a record").click()
        await page.get_by_label("Key", exact=True).fill("by hand/1")
        await page.get_by_role("button", name="Go on").click()
        await page.get_by_role("button", name="Add an attribute").click()
        await page.get_by_label("Name of new attribute 1").fill("family")
        await page.get_by_label("Value of family").fill("made")
        await page.get_by_role("button", name="Save").click()
        await expect(page.locator("main h1")).to_have_text("by hand/1")
        await expect(page.get_by_role("button", name="Use it at once")).to_be_visible()

        await console.show("metadata")
        for sheet, answer in (
            ("metakey,weight:N\nfrom file,heavy\n", "line 2"),
            ("metakey,family\nfrom file,made\n", "1 row, and no mistake"),
        ):
            await page.get_by_label("CSV file to import").set_input_files(
                {"name": "r.csv", "mimeType": "text/csv", "buffer": sheet.encode()}
            )
            await expect(page.get_by_role("dialog")).to_contain_text(answer)
            do_it = page.get_by_role("dialog").get_by_role("button", name="Import")
            if "no mistake" in answer:
                await do_it.click()
                await expect(page.get_by_role("dialog")).to_contain_text("Imported 1 row: 1 new")
            else:
                await expect(do_it).to_be_disabled()
            await page.get_by_role("dialog").get_by_role("button").first.click()

        async with page.expect_download() as download:
            await page.get_by_role("button", name="Export CSV").click()
        file = await (await download.value).path()
        text = file.read_text()
        assert text.startswith("metakey,")
        assert "from file" in text
        assert "by hand/1" in text
