"""A run from the command line: its loop, its signals, its errors in words, its report."""

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Protocol, TypeVar

import typer
import uvloop
from rich.console import Console
from rich.table import Table

from loadtest.ledger.book import BookError
from loadtest.servers import ServerError
from loadtest.toolchain import Api, FoundInfluxd, ToolchainError, find_influxd

INTERRUPTED = 130
"""The exit status of a run that was ended at once."""


class Result(Protocol):
    """What a run comes to."""

    def write(self, path: Path) -> None:
        """Keep it for scripts."""
        ...

    def table(self) -> Table:
        """Show it to people."""
        ...


_AnyResult = TypeVar("_AnyResult", bound=Result)


def run(
    start: Callable[[FoundInfluxd, Console], Coroutine[Any, Any, _AnyResult]], report: Path
) -> _AnyResult:
    """The same as run_alone, for a run with a real InfluxDB."""
    return run_alone(lambda console: start(find_influxd(), console), report)


def run_alone(
    start: Callable[[Console], Coroutine[Any, Any, _AnyResult]], report: Path
) -> _AnyResult:
    """The result of a run, shown and written; ends the program when there is none."""
    # Until the loop takes the signals over, SIGTERM does what Ctrl-C does.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    console = Console()
    result: _AnyResult | None = None
    status = 1
    try:
        # The load and its proxies work as hard as the service: on the same kind of loop.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.get_loop().set_exception_handler(_tell)
            result = runner.run(start(console))
    except* (ToolchainError, ServerError, BookError) as group:
        for error in _leaves(group):
            Console(stderr=True).print(
                str(error), style="red", highlight=False, markup=False, soft_wrap=True
            )
    except* (asyncio.CancelledError, KeyboardInterrupt):
        Console(stderr=True).print("Ended at once, nothing was counted.")
        status = INTERRUPTED
    if result is None:
        raise typer.Exit(status)
    result.write(report)
    console.print(result.table())
    console.print(f"Written to {report}", highlight=False)
    return result


def influxdb_api(found: FoundInfluxd) -> Api:
    """The write API that INGESTOR_INFLUXDB_API names, else the newest that the binary has."""
    match os.environ.get("INGESTOR_INFLUXDB_API", "").strip().lower():
        case "v1":
            return "v1"
        case "v2":
            return "v2"
        case "":
            return "v2" if "v2" in found.apis else "v1"
        case other:
            raise ToolchainError(f"INGESTOR_INFLUXDB_API is {other!r}: set it to v1 or v2")


def _leaves(group: BaseExceptionGroup[Exception]) -> list[Exception]:
    leaves: list[Exception] = []
    for each in group.exceptions:
        leaves += _leaves(each) if isinstance(each, BaseExceptionGroup) else [each]
    return leaves


def _tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """Say what a callback failed with, unless it is the end of the run.

    A connection of aiomqtt that is cancelled while it is being made says so with a traceback.
    """
    if not isinstance(context.get("exception"), asyncio.CancelledError):
        loop.default_exception_handler(context)
