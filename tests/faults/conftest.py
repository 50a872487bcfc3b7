"""A stack with a proxy before each server: one for each worker, emptied after every test."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from http import HTTPStatus

import aiohttp
import pytest_asyncio
from service.conftest import Site as Bench
from service.conftest import until

from loadtest.chaos.site import PatientService, Site, open_site
from loadtest.proxy import FaultProxy
from loadtest.records import RECORDS
from loadtest.resources import MOST_RECEIVES
from loadtest.toolchain import FoundInfluxd

VISIBILITY_SECONDS = 3
"""So that what a killed service held comes back soon."""
LONG_SECONDS = 30
"""For tests in which nothing may come again, and whose subject is not the leases: with the short
one a machine that stands still for two seconds brings messages again, rightly.
"""


@dataclass
class Ground(Bench):
    """What the tests of whole processes have, and the proxies."""

    site: Site

    @property
    def sqs(self) -> FaultProxy:
        """Before SQS."""
        return self.site.proxies["sqs"]

    @property
    def influxdb(self) -> FaultProxy:
        """Before InfluxDB."""
        return self.site.proxies["influxdb"]

    def service(self, **variables: str) -> PatientService:
        """A service whose calls go through the proxies; names without `INGESTOR_`."""
        return PatientService(self.environment(**variables))

    def environment(self, **variables: str) -> dict[str, str]:
        """The variables of such a service."""
        changes = {f"INGESTOR_{name}": value for name, value in variables.items()}
        return self.site.environment() | changes

    async def visibility(self, seconds: int) -> None:
        """Change the queue's visibility timeout."""
        await self.stack.sqs.set_queue_attributes(
            QueueUrl=self.stack.queue_url, Attributes={"VisibilityTimeout": str(seconds)}
        )

    async def most_receives(self, number: int) -> None:
        """Change how often a message is received before SQS itself takes it for dead."""
        sqs, queue = self.stack.sqs, self.stack.queue_url
        answer = await sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["RedrivePolicy"])
        policy = json.loads(answer["Attributes"]["RedrivePolicy"]) | {"maxReceiveCount": number}
        await sqs.set_queue_attributes(
            QueueUrl=queue, Attributes={"RedrivePolicy": json.dumps(policy)}
        )

    async def until(self, condition: Callable[[], object]) -> None:
        """Wait for something that this process sees."""

        async def holds() -> object:
            return condition()

        await until(holds)

    async def until_stored(self, number: int) -> None:
        """Wait until so many points are in InfluxDB."""

        async def stored() -> bool:
            return len(await self.sequences()) >= number

        await until(stored)

    async def until_not_ready(self, service: PatientService, reason: str) -> None:
        """Wait until the service says that it is not ready for this reason.

        TimeoutError tells what it said instead, and what SQS had for it meanwhile.
        """
        said = ""
        async with aiohttp.ClientSession() as session:

            async def says_why() -> bool:
                nonlocal said
                async with session.get(f"{service.url}/ready") as response:
                    said = f"HTTP {response.status}: {await response.text()}"
                    return response.status == HTTPStatus.SERVICE_UNAVAILABLE and reason in said

            try:
                await until(says_why)
            except TimeoutError as error:
                async with session.get(f"{service.url}/api/status") as response:
                    status = await response.text()
                error.add_note(f"{said}\n{await self.stack.backlog()}\n{status}")
                raise

    async def until_gauge(self, service: PatientService, gauge: str, least: float) -> None:
        """Wait until a gauge of the service shows so much."""

        async def shows() -> bool:
            await service.scrape()
            return service.gauge(gauge) >= least

        await until(shows)

    async def until_total(self, service: PatientService, counter: str, least: int) -> None:
        """Wait until a counter of the service, over all its lives, has come so far."""

        async def counted() -> bool:
            await service.scrape()
            return service.total(counter) >= least

        await until(counted)

    async def administrate(self, statement: str) -> None:
        """Run an InfluxQL statement as the administrator."""
        await self.stack.influxd.administrate(statement)

    async def empty(self) -> None:
        """Forget everything that a test has left."""
        custody = self.site.custody
        custody.killed()
        custody.received = custody.redelivered = 0
        for proxy in self.site.proxies.values():
            proxy.disarm()
            proxy.applied.clear()
            proxy.requests = 0
            proxy.down = False
        await self.visibility(VISIBILITY_SECONDS)
        await self.most_receives(MOST_RECEIVES)
        for url in (self.stack.queue_url, self.stack.dead_letter_queue_url):
            await self.stack.sqs.purge_queue(QueueUrl=url)
        await self.stack.influxd.clear()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def _site(found_influxd: FoundInfluxd) -> AsyncIterator[Site]:
    async with open_site(found_influxd, "v1", list(RECORDS)) as site:
        yield site


@pytest_asyncio.fixture(loop_scope="session")
async def ground(_site: Site) -> AsyncIterator[Ground]:
    """An empty stack behind proxies that let everything pass."""
    ground = Ground(_site.stack, _site)
    await ground.empty()
    yield ground
    await ground.empty()


async def exit_status(service: PatientService, *, seconds: float = 40) -> int:
    """Wait for the end of the service's process; its exit status."""
    process = service._process  # noqa: SLF001 - its exit status is what these tests are about
    assert process is not None
    async with asyncio.timeout(seconds):
        return await asyncio.to_thread(process.wait)
