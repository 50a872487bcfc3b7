"""A console on fakes, asked over HTTP on the loopback interface."""

import asyncio
import io
import json
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web

from ingestor.adapters.clock import SystemClock
from ingestor.adapters.memory import MemoryLetters, MemoryMetadata, MemoryRecords, MemorySeries
from ingestor.console.access import Access, LocalAccess
from ingestor.console.server import Console, Facts, World, running
from ingestor.console_ports import LetterBox
from ingestor.core.mapping import DEFAULT_MAPPING
from ingestor.core.tablekeys import Keys
from ingestor.ops.server import Extras, OpsServer
from ingestor.telemetry.logs import make_logger

OWN = frozenset({"ingestor", "ingestor_rejected"})


def status(**changes: Any) -> dict[str, Any]:
    """What a service says of itself with which all is well."""
    return {
        "state": "running",
        "ready": True,
        "not_ready": [],
        "uptime_seconds": 5.0,
        "totals": dict.fromkeys(
            ("received", "stored", "lines", "batches", "deleted", "rejected", "released"), 0
        ),
        "lag_ms": {"p50": 400.0, "p99": 900.0},
        "buffers": {"window_messages": {"used": 3, "limit": 100}},
        "cache": {"records": 2, "hits": 9, "misses": 1},
        "queue": {"visible": 4, "in_flight": 5},
        "dependencies": {"influxdb": {"up": True, "reason": None}},
        **changes,
    }


@dataclass
class Rig:
    """The fakes, which tests change, and what was asked of the cache and logged."""

    series: Any = field(default_factory=lambda: MemorySeries(own=OWN))
    table: MemoryRecords = field(default_factory=MemoryRecords)
    store: MemoryMetadata = field(default_factory=MemoryMetadata)
    letters: MemoryLetters = field(default_factory=MemoryLetters)
    document: dict[str, Any] = field(default_factory=status)
    access: Access = field(default_factory=LocalAccess)
    facts: dict[str, Any] = field(default_factory=dict)
    forgotten: list[str] = field(default_factory=list)
    worker_is_silent: bool = False

    def __post_init__(self) -> None:
        self.log = io.StringIO()
        self.forgot_twice = asyncio.Event()

    @property
    def events(self) -> list[dict[str, Any]]:
        """What was logged."""
        return [json.loads(line) for line in self.log.getvalue().splitlines()]

    async def forget(self, keys: Sequence[str]) -> int | None:
        """As the cache of the pipeline would."""
        self.forgotten += keys
        if len(self.forgotten) > 1:
            self.forgot_twice.set()
        return None if self.worker_is_silent else len(keys)

    @asynccontextmanager
    async def box(self) -> AsyncIterator[LetterBox]:
        """The dead letters."""
        yield self.letters

    def reading(self, device: str, key: str = "", *, ago: float = 1.0, **fields: Any) -> None:
        """Store a reading of so many seconds ago."""
        tags = f",metakey={key}" if key else ""
        values = ",".join(f"{name}={value}" for name, value in (fields or {"value": 1.5}).items())
        ns = time.time_ns() - round(ago * 1e9)
        self.series.write([f"pressure,sensorID={device}{tags} {values} {ns}".encode()])

    @asynccontextmanager
    async def running(self, **extras: Any) -> AsyncIterator["Client"]:
        """A client of the running console."""
        keys = self.facts.pop("keys", Keys("metakey"))
        facts: dict[str, Any] = {
            "keys": keys,
            "device_tag": "sensorID",
            "mapping": DEFAULT_MAPPING,
            "mapping_version": "v",
            "version": "1.2.3",
            "task": "task-1",
            "own_measurement": "ingestor",
            "report_seconds": 10.0,
            "ttl_seconds": 300.0,
            "links": {"grafana": "https://grafana.example"},
            "reads_per_second": 1000.0,
            "changes_per_second": 1000.0,
            **self.facts,
        }
        world = World(
            status=lambda: self.document,
            reader=self.series,
            table=self.table,
            store=self.store,
            open_box=self.box,
            forget=self.forget,
            clock=SystemClock(),
        )
        console = Console(
            world, Facts(**facts), self.access, make_logger("debug", "json", self.log)
        )
        server = OpsServer(
            host="127.0.0.1",
            port=0,
            metrics=lambda: b"m 1\n",
            live=list,
            ready=list,
            status=lambda: self.document,
            extras=Extras(console=console.app, **extras),
        )
        async with running(console), server, aiohttp.ClientSession(server.url) as session:
            yield Client(session, server.url)


@dataclass(slots=True)
class Client:
    """Asks the API."""

    session: aiohttp.ClientSession
    url: str

    async def ask(self, method: str, path: str, **how: Any) -> tuple[int, Any, Any]:
        """Status, decoded body and headers of an answer."""
        async with self.session.request(method, f"/api/v1{path}", **how) as reply:
            text = await reply.text()
            is_json = reply.content_type in {"application/json", "application/problem+json"}
            return reply.status, json.loads(text) if is_json and text else text, reply.headers

    async def get(self, path: str, **parameters: Any) -> Any:
        """The body of a 200."""
        status, body, _ = await self.ask("GET", path, params=parameters)
        assert status == web.HTTPOk.status_code, body
        return body

    async def post(self, path: str, body: Any, **how: Any) -> tuple[int, Any]:
        """Status and body."""
        status, answer, _ = await self.ask("POST", path, json=body, **how)
        return status, answer
