"""The stack with a proxy before each server, and the service that goes through them."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, replace

import aiohttp

from loadtest.chaos.custody import Custody
from loadtest.chaos.schedule import Target
from loadtest.mapping import MAPPING, MEASUREMENT
from loadtest.proxy import FaultProxy, aws_operation, influxdb_operation
from loadtest.records import KEY_ATTRIBUTE, RECORDS, Record
from loadtest.servers import Influxd, ServerError
from loadtest.service import Service
from loadtest.stack import Stack, open_stack
from loadtest.toolchain import Api, FoundInfluxd

VISIBILITY_SECONDS = 6
"""Short, so that leases have to be extended and what a killed service held comes back soon."""
WRITE_SECONDS = 4.0

CONFLICT = "alarm-as-a-text"
"""The sensor of the one point that is there before: what has a number for an alarm is refused."""

_COPIES = 10
_FIELDS = "[routes.fields]\n"
_ALARM = 'alarm = { path = "alarm", type = "float" }\n'


class PatientService(Service):
    """A service whose start is over when it is alive: it may have to wait for others."""

    up_when = "/live"


@dataclass(slots=True)
class Site:
    """Running servers, and the proxies before them."""

    stack: Stack
    proxies: dict[Target, FaultProxy]
    custody: Custody

    @property
    def armed(self) -> int:
        """Faults that are still to come."""
        return sum(proxy.armed for proxy in self.proxies.values())

    @property
    def under_way(self) -> int:
        """Calls that are going wrong at the moment."""
        return sum(proxy.under_way for proxy in self.proxies.values())

    @contextmanager
    def quiet(self) -> Iterator[None]:
        """Within the block no further fault happens; those that are armed wait."""
        for proxy in self.proxies.values():
            proxy.paused = True
        try:
            yield
        finally:
            for proxy in self.proxies.values():
                proxy.paused = False

    @property
    def faults(self) -> Counter[str]:
        """How often each fault has happened, by target and name."""
        return Counter(
            {
                f"{target}-{name}": count
                for target, proxy in self.proxies.items()
                for name, count in proxy.applied.items()
            }
        )

    def environment(self) -> dict[str, str]:
        """The variables of a service whose every call goes through a proxy."""
        return self.stack.environment() | {
            "AWS_ENDPOINT_URL_SQS": self.proxies["sqs"].url,
            "AWS_ENDPOINT_URL_DYNAMODB": self.proxies["dynamodb"].url,
            "INGESTOR_INFLUXDB_URL": self.proxies["influxdb"].url,
            "INGESTOR_INFLUXDB_TIMEOUT_SECONDS": str(WRITE_SECONDS),
            "INGESTOR_MAPPING": MAPPING.replace(_FIELDS, _FIELDS + _ALARM),
            "INGESTOR_RECEIVE_WAIT_SECONDS": "1",
            # So that DynamoDB is asked again and again, and has nothing to hide behind.
            "INGESTOR_CACHE_TTL_SECONDS": "1",
            "INGESTOR_CACHE_STALE_SECONDS": "0",
        }


def many_records() -> list[Record]:
    """The demo's records, each several times under other keys."""
    return [
        replace(
            record,
            key=(key := f"{record.key}{copy}"),
            item={**record.item, KEY_ATTRIBUTE: {"S": key}},
            tags={**record.tags, KEY_ATTRIBUTE: key},
        )
        for record in RECORDS
        for copy in range(_COPIES)
    ]


@asynccontextmanager
async def open_site(
    found: FoundInfluxd, api: Api, records: list[Record], *, fast_queue: bool = False
) -> AsyncIterator[Site]:
    """Start servers and proxies; ServerError when something does not start."""
    custody = Custody()
    async with AsyncExitStack() as closing:
        stack = await closing.enter_async_context(
            open_stack(
                found,
                api,
                records,
                visibility_seconds=VISIBILITY_SECONDS,
                fast_queue=fast_queue,
            )
        )
        proxies: dict[Target, FaultProxy] = {
            "sqs": FaultProxy(lambda: stack.sqs_url, aws_operation, custody.told),
            "dynamodb": FaultProxy(lambda: stack.ministack.url, aws_operation),
            "influxdb": FaultProxy(lambda: stack.influxd.url, influxdb_operation),
        }
        for proxy in proxies.values():
            await closing.enter_async_context(proxy)
        await _provoke_conflicts(stack.influxd)
        yield Site(stack, proxies, custody)


async def _provoke_conflicts(influxd: Influxd) -> None:
    """Store a point that has a text where the mapping has a number."""
    where = {"db": influxd.database, "u": influxd.username, "p": influxd.password}
    line = f'{MEASUREMENT},sensorID={CONFLICT} alarm="none"'
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{influxd.url}/write", params=where, data=line) as response,
    ):
        if not response.ok:
            raise ServerError(f"influxd does not take a point: {await response.text()}")
