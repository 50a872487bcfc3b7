"""Queues, rule, table and devices on a MiniStack that runs elsewhere: for containers.

`python -m loadtest.elsewhere prepare` makes what the service needs, once; again does no harm.
`python -m loadtest.elsewhere fleet --devices 20` publishes until a signal. Both take MiniStack's
address from AWS_ENDPOINT_URL.
"""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from urllib.parse import urlsplit

from loadtest.devices import Reading, make_devices
from loadtest.fleet import Broker, Fleet
from loadtest.ledger.tracker import Tracker
from loadtest.records import RECORDS
from loadtest.resources import create_resources, is_prepared, open_client
from loadtest.servers import ServerError

_REGION = "us-east-1"


async def prepare(url: str) -> None:
    """Make queues, rule and table, unless they are there."""
    client = partial(open_client, url=url, region=_REGION)
    if await is_prepared(client):
        print("There already are queues, rule and table.")  # noqa: T201 - a command
        return
    queues = await create_resources(client)
    print(f"Readings go to {queues.main}")  # noqa: T201 - a command


async def publish(url: str, devices: int) -> None:
    """Let devices publish a reading a second each, until SIGTERM or Ctrl-C."""
    parts = urlsplit(url)
    broker = Broker(parts.hostname or "127.0.0.1", parts.port or 80, f"iot.{_REGION}.localhost")
    made = make_devices(devices, RECORDS, seed=1)
    fleet = Fleet(made, broker, Forgetful(made))
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    print(f"{devices} devices publish to {broker.host}:{broker.port}", flush=True)  # noqa: T201 - a command
    await fleet.run(stop)


class Forgetful(Tracker):
    """Nobody reads back what it follows, and it must not grow for ever."""

    def acknowledge(self, readings: Sequence[Reading]) -> None:
        """See Tracker; what is acknowledged is forgotten."""
        super().acknowledge(readings)
        for reading in readings:
            del self.outstanding[reading.identity]


def main(arguments: list[str] | None = None) -> int:
    """0 when done, 1 with the reason when not, 2 for wrong usage."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("command", choices=["prepare", "fleet"])
    parser.add_argument("--devices", type=int, default=20)
    given = parser.parse_args(arguments)
    url = os.environ.get("AWS_ENDPOINT_URL", "").rstrip("/")
    if not url:
        parser.error("AWS_ENDPOINT_URL must name a MiniStack")
    try:
        if given.command == "prepare":
            asyncio.run(prepare(url))
        else:
            asyncio.run(publish(url, given.devices))
    except ServerError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
