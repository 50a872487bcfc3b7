"""`python -m loadtest.iot --port 1883 …`: the broker as a process; `--rule` for each statement."""

import argparse
import asyncio
import signal

import aiohttp
import uvloop
from botocore.credentials import Credentials

from loadtest.iot.broker import Broker, Connection, Outlet
from loadtest.iot.rules import Rule
from loadtest.sqs.sender import Queue, Sender


async def _serve(given: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, stop.set)

    def queue(url: str) -> Queue:
        return Queue(url, given.sqs, given.region, Credentials("test", "test"))

    async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
        to_queue = Outlet(Sender(queue(given.queue), session))
        to_errors = Outlet(Sender(queue(given.errors), session))
        broker = Broker([Rule(sql) for sql in given.rule], to_queue, to_errors)
        running = group.create_task(broker.run(), name="broker")
        server = await loop.create_server(
            lambda: Connection(broker), "127.0.0.1", given.port, backlog=1_024
        )
        async with server:
            await stop.wait()
        running.cancel()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--sqs", required=True, help="Where SQS answers.")
    parser.add_argument("--region", required=True)
    parser.add_argument("--queue", required=True, help="The URL of the queue of all rules.")
    parser.add_argument("--errors", required=True, help="The URL of the queue for their errors.")
    parser.add_argument("--rule", action="append", required=True, help="A statement of IoT SQL.")
    uvloop.run(_serve(parser.parse_args()))
