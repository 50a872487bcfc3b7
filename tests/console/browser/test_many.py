"""A fleet of 100,000 devices: the server cuts pages, the page stays small."""

import io
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from integration.canned_aws import Answer, CannedAws
from playwright.async_api import Browser, expect
from support.browser import visiting

from loadtest.cli.run import influxdb_api
from loadtest.servers import Influxd
from loadtest.service import Service
from loadtest.stack import Stack
from loadtest.toolchain import FoundInfluxd

pytestmark = [
    pytest.mark.servers,
    pytest.mark.xdist_group("console"),
    pytest.mark.asyncio(loop_scope="session"),
    pytest.mark.timeout(900),  # the browser is unpacked when this machine has none
]
MANY = 100_000
LINES_AT_ONCE = 5_000
FIRST_LOOK_MS = 120_000
"""How long InfluxDB may take to list them all for the first time."""


async def fill(influxd: Influxd) -> None:
    """A reading of now of each device; every tenth is in the same hall."""
    now = time.time_ns()
    lines = [
        f"pressure,sensorID={number:06},metakey={number % 10} pressureValue={number} {now}"
        for number in range(MANY)
    ]
    where = {"db": influxd.database, "u": influxd.username, "p": influxd.password}
    async with aiohttp.ClientSession() as session:
        for start in range(0, MANY, LINES_AT_ONCE):
            body = io.BytesIO("\n".join(lines[start : start + LINES_AT_ONCE]).encode())
            async with session.post(f"{influxd.url}/write", params=where, data=body) as response:
                assert response.status == 204, await response.text()


@pytest_asyncio.fixture(loop_scope="session")
async def service_of_many(stack: Stack, found_influxd: FoundInfluxd) -> AsyncIterator[Service]:
    """A service with queue and InfluxDB of its own, and a table of ten records."""
    items = [
        {"metakey": {"S": str(number)}, "hall": {"S": f"hall {number}"}} for number in range(10)
    ]
    api = influxdb_api(found_influxd)
    async with CannedAws() as table, Influxd(found_influxd, api=api) as influxd:
        table.always["Scan"] = Answer({"Items": items, "Count": 10, "ScannedCount": 10})
        table.always["DescribeTable"] = Answer(
            {"Table": {"KeySchema": [{"AttributeName": "metakey", "KeyType": "HASH"}]}}
        )
        await fill(influxd)
        queue = await stack.sqs.create_queue(QueueName="nothing")
        environment = stack.environment() | influxd.environment()
        environment["INGESTOR_QUEUE_URL"] = queue["QueueUrl"]
        environment["AWS_ENDPOINT_URL_DYNAMODB"] = table.url
        async with Service(environment) as running:
            yield running


async def test_a_hundred_thousand(browser: Browser, service_of_many: Service) -> None:
    """Pages, search and filter go to the server; the document has a page's rows and no more."""
    async with visiting(browser, service_of_many.url) as console:
        console.expected = ("Failed to load resource: the server responded with a status of 503",)
        page = console.page
        await console.show("devices")
        status = page.get_by_role("navigation", name="Pages").get_by_role("status")
        await expect(status).to_have_text("1 to 25 of 100,000 devices", timeout=FIRST_LOOK_MS)
        await expect(page.get_by_role("row")).to_have_count(26)
        await page.get_by_role("button", name="Next").click()
        await expect(status).to_have_text("26 to 50 of 100,000 devices")
        await page.get_by_role("button", name="Previous").click()
        await expect(page.get_by_role("row", name="000000")).to_be_visible()

        await page.get_by_label("Attribute").select_option("hall")
        await page.get_by_label("Value", exact=True).fill("hall 7")
        await page.keyboard.press("Tab")
        await expect(status).to_have_text("1 to 25 of 10,000 devices")
        await page.get_by_label("Search").fill("00123")
        await expect(status).to_have_text("1 to 1 of 1 device")
        await page.get_by_role("button", name="Remove the filter hall=hall 7").click()
        await expect(status).to_have_text("1 to 11 of 11 devices")
        assert await page.locator("*").count() < 1000
