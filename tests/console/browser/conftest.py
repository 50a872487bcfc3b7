"""One running job for all browser tests: stack, service, devices; and one browser."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser
from support.browser import DEVICES, HOSTILE, Visit, Visiting, chromium, visiting

from loadtest.chromium import find_chromium
from loadtest.cli.run import influxdb_api
from loadtest.fleet import Fleet
from loadtest.ledger.tracker import Tracker
from loadtest.mapping import MAPPING
from loadtest.records import RECORDS, Record
from loadtest.service import Service
from loadtest.stack import Stack, open_stack
from loadtest.toolchain import FoundInfluxd

CACHE_TTL_SECONDS = 2
"""How soon a changed record is seen by a task that nobody has told."""

shared = pytest_asyncio.fixture(scope="session", loop_scope="session")


def record(key: str, **attributes: str) -> Record:
    """A record of texts."""
    item = {"metakey": {"S": key}} | {name: {"S": text} for name, text in attributes.items()}
    return Record(key, item, {"metakey": key, **attributes})


@shared
async def stack(found_influxd: FoundInfluxd) -> AsyncIterator[Stack]:
    """Broker, rule, queues, table and InfluxDB; a hostile record is in the table."""
    records = (*RECORDS, record(HOSTILE, manufacturer="<img src=x onerror=alert(2)>"))
    async with open_stack(found_influxd, influxdb_api(found_influxd), records) as opened:
        yield opened


@pytest.fixture(scope="session")
def mapping_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mapping in force, once the service has started anew."""
    file = tmp_path_factory.mktemp("console") / "mapping.toml"
    file.write_text(MAPPING)
    return file


@shared
async def service(stack: Stack, mapping_file: Path) -> AsyncIterator[Service]:
    """`ingestor run`, and twenty devices that publish once a second."""
    environment = stack.environment()
    environment.pop("INGESTOR_MAPPING")
    environment["INGESTOR_MAPPING_FILE"] = str(mapping_file)
    environment["INGESTOR_CACHE_TTL_SECONDS"] = str(CACHE_TTL_SECONDS)
    environment["INGESTOR_SELF_REPORT_SECONDS"] = "1"
    stop = asyncio.Event()
    async with Service(environment) as running:
        fleet = Fleet(DEVICES, stack.broker, Tracker(DEVICES))
        device, client = HOSTILE[:15], HOSTILE[15:]
        hostile = {"deviceid": device, "clientid": client, "pressure": 1, "metakey": HOSTILE}
        await stack.sqs.send_message(QueueUrl=stack.queue_url, MessageBody=json.dumps(hostile))
        publishing = asyncio.create_task(fleet.run(stop), name="fleet")
        try:
            yield running
        finally:
            stop.set()
            await publishing


@shared
async def browser(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Browser]:
    """One Chromium for all."""
    async with chromium(find_chromium(), tmp_path_factory.mktemp("downloads")) as opened:
        yield opened


@pytest.fixture
def visit(browser: Browser, service: Service) -> Visiting:
    """Opens the console in a context of its own."""

    def open_console(**options: Any) -> AbstractAsyncContextManager[Visit]:
        return visiting(browser, service.url, **options)

    return open_console
