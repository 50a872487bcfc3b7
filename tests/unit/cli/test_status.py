"""`ingestor status`, asking a real ops server on the loopback interface."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from ingestor.cli import app
from ingestor.cli.world import World
from ingestor.config import Settings
from ingestor.ops.server import OpsServer

RUNNING: dict[str, Any] = {
    "state": "running",
    "ready": True,
    "not_ready": [],
    "version": "0.1.0",
    "uptime_seconds": 3725.4,
    "totals": {"received": 12345, "without_metadata": 0},
    "rates": {"received_per_s": 20.04, "stored_per_s": 19.96},
    "lag_ms": {"p50": 250.4, "p99": None},
    "buffers": {
        "window_messages": {"used": 12, "limit": 20000},
        "write_queue": {"used": 1, "limit": None},
    },
    "cache": {"records": 20, "negative_hits": 3},
    "queue": {"visible": 7, "in_flight": 12},
    "rejections": [{"stage": "map", "reason": "bad-field", "count": 2}],
    "dependencies": {
        "sqs": {"up": True, "reason": None},
        "influxdb": {"up": False, "reason": "it answers 503"},
    },
}


@asynccontextmanager
async def serving(answer: Any) -> AsyncIterator[str]:
    """The URL of an ops server that answers this; an exception makes it fail."""

    def status() -> dict[str, Any]:
        if isinstance(answer, Exception):
            raise answer
        return answer  # type: ignore[no-any-return] # wrong shapes are a part of the tests

    async with OpsServer(
        host="127.0.0.1", port=0, metrics=bytes, live=list, ready=list, status=status
    ) as server:
        yield server.url


async def status(*arguments: str, environ: dict[str, str] | None = None) -> Result:
    """The command's result."""

    def run(_: Settings) -> int:
        raise NotImplementedError

    async def examine(_: Settings) -> list[Any]:
        raise NotImplementedError

    world = World(environ or {}, run, examine)
    # In a thread: the server that it asks lives on this one.
    return await asyncio.to_thread(
        lambda: CliRunner().invoke(app, ["status", *arguments], obj=world)
    )


async def test_a_ready_service_is_shown_with_its_figures() -> None:
    """What an operator wants to know first stands first."""
    async with serving(RUNNING) as url:
        result = await status("--url", url)

    assert result.exit_code == 0
    lines = [" ".join(line.split()) for line in result.stdout.splitlines()]
    assert lines == [
        "running, ready",
        "version 0.1.0, up 1:02:05",
        "rate 20.0/s received, 20.0/s stored",
        "lag p50 250 ms, p99 -",
        "queue 7 waiting, 12 in flight",
        "window messages 12 of 20,000",
        "write queue 1",
        "cache records 20",
        "cache negative hits 3",
        "received in all 12,345",
        "without metadata in all 0",
        "rejected: map, bad-field 2",
        "sqs up",
        "influxdb down: it answers 503",
    ]


async def test_a_service_that_is_not_ready_is_a_failure_with_reasons() -> None:
    """A health check looks at the exit status, a person at the reasons."""
    waiting = {"ready": False, "not_ready": ["influxdb: it answers 503", "draining"], "queue": None}
    async with serving(RUNNING | waiting) as url:
        result = await status("--url", f"{url}/")

    assert result.exit_code == 1
    assert result.stdout.startswith("running, not ready: influxdb: it answers 503; draining\n")
    assert "waiting" not in result.stdout


async def test_scripts_get_the_answer_as_json() -> None:
    """All of it, what this version does not know included."""
    async with serving(RUNNING | {"new": 1}) as url:
        result = await status("--url", url, "--json")

    assert result.exit_code == 0
    assert json.loads(result.stdout) == RUNNING | {"new": 1}


async def test_the_environment_says_where_the_service_listens() -> None:
    """Within the service's own container no option is needed."""
    async with serving(RUNNING) as url:
        environ = {
            "INGESTOR_OPS_HOST": "0.0.0.0",  # noqa: S104 - asked at 127.0.0.1
            "INGESTOR_OPS_PORT": url.rpartition(":")[2],
        }
        assert (await status(environ=environ)).exit_code == 0


async def test_nobody_there() -> None:
    """Said in one line, on standard error."""
    async with serving(RUNNING) as url:
        pass
    result = await status("--url", url)

    assert result.exit_code == 1
    assert result.stderr == f"no answer from {url}: Connection refused\n"

    result = await status("--url", url, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": f"no answer from {url}: Connection refused"}


async def test_something_else_that_answers() -> None:
    """Another server, another version, or a broken one: never a traceback."""
    async with serving(ValueError("broken")) as url:
        result = await status("--url", url)
        assert result.exit_code == 1
        assert result.stderr == f"{url} answered with status 500: it is not a running ingestor\n"
    async with serving({"state": "running"}) as url:
        result = await status("--url", url)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"{url} does not answer like this version: ")


async def test_a_host_name_that_cannot_be_one() -> None:
    """It is not even looked up."""
    result = await status("--url", "http://a..b")

    assert result.exit_code == 1
    assert result.stderr.startswith("no answer from http://a..b: ")


async def test_a_server_that_does_not_speak_http() -> None:
    """Some other program's port."""

    async def gibberish(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail ready\r\n")
        await writer.drain()
        writer.close()
        await writer.wait_closed()

    async with await asyncio.start_server(gibberish, "127.0.0.1", 0) as server:
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        result = await status("--url", url)

    assert result.exit_code == 1
    assert result.stderr == f"no answer from {url}: BadStatusLine\n"


@pytest.mark.parametrize(
    "url", ["localhost:8080", "ftp://localhost", "http://", "http://a:port", "http://[a"]
)
async def test_an_address_that_is_none_is_wrong_usage(url: str) -> None:
    """Exit status 2, as for every slip on the command line."""
    result = await status("--url", url)

    assert result.exit_code == 2
    assert "Invalid value for --url" in result.stderr


async def test_a_wrong_environment_is_told() -> None:
    """Its mistakes, and what to do where the port cannot be known."""
    result = await status(environ={"INGESTOR_OPS_PORT": "web"})
    assert result.exit_code == 2
    assert "INGESTOR_OPS_PORT cannot be used: 'web'" in result.stderr

    result = await status(environ={"INGESTOR_OPS_PORT": "0"})
    assert result.exit_code == 2
    assert "INGESTOR_OPS_PORT is 0" in result.stderr
