"""`/api/v1` as an application for the ops server."""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from aiohttp import web

from ingestor.console import model
from ingestor.console.access import Access, Identity
from ingestor.console.calls import Call, Handler, answer, read_call
from ingestor.console.devices import Devices
from ingestor.console.fleet import Fleet
from ingestor.console.index import RecordIndex
from ingestor.console.letters import Letters, OpenBox
from ingestor.console.limits import RateLimit
from ingestor.console.openapi import FILE
from ingestor.console.operations import EVENTS, JSON, OPERATIONS, Operation
from ingestor.console.problems import Refuse, response
from ingestor.console.records import Forget, Records
from ingestor.console.trying import Trying
from ingestor.console.watching import Watching
from ingestor.console_ports import RecordTable, SeriesReader
from ingestor.core.tablekeys import Keys
from ingestor.ports import Clock, MetadataStore, Unavailable
from ingestor.telemetry.failures import format_failure

REQUEST_SECONDS = 28.0
"""CloudFront gives up after thirty."""
SEND_SECONDS = 10.0
"""A listener that takes nothing for so long is let go."""
STREAM_SECONDS = 3_600.0

_log = logging.getLogger(__name__)


@dataclass(slots=True, frozen=True)
class World:
    """All that the console reads and changes."""

    status: Callable[[], Mapping[str, Any]]
    reader: SeriesReader
    table: RecordTable
    store: MetadataStore
    open_box: OpenBox
    forget: Forget
    clock: Clock


@dataclass(slots=True, frozen=True)
class Facts:
    """What it has to know of the service; limits are requests per second, with bursts of five."""

    keys: Keys
    device_tag: str
    mapping: str
    mapping_version: str
    version: str
    task: str
    own_measurement: str
    report_seconds: float
    ttl_seconds: float
    links: Mapping[str, str]
    reads_per_second: float = 50.0
    changes_per_second: float = 5.0


class Console:
    """The application, and what must run beside it."""

    def __init__(
        self, world: World, facts: Facts, access: Access, log: structlog.stdlib.BoundLogger
    ) -> None:
        self._facts = facts
        self._access = access
        self._log = log
        self._clock = clock = world.clock
        self._index = RecordIndex(world.table, facts.keys, clock)
        trying = Trying(facts.mapping, facts.mapping_version, world.store)
        letters = Letters(world.open_box, trying, clock, self._audit)
        self._fleet = Fleet(world.reader, facts.keys, facts.device_tag, clock)
        devices = Devices(
            reader=world.reader,
            table=world.table,
            index=self._index,
            fleet=self._fleet,
            clock=clock,
        )
        self._records = records = Records(
            table=world.table,
            index=self._index,
            forget=world.forget,
            clock=clock,
            ttl_seconds=facts.ttl_seconds,
            audit=self._audit,
        )
        self._watching = Watching(
            status=world.status,
            reader=world.reader,
            devices=devices,
            letters=letters,
            clock=clock,
            version=facts.version,
            own_measurement=facts.own_measurement,
            report_seconds=facts.report_seconds,
        )
        self._reads = RateLimit(
            clock, per_second=facts.reads_per_second, burst=int(5 * facts.reads_per_second)
        )
        self._changes = RateLimit(
            clock, per_second=facts.changes_per_second, burst=int(5 * facts.changes_per_second)
        )

        handlers: dict[str, Handler] = {
            "session": self._session,
            "figures": self._watching.figures,
            "recent": self._watching.recent,
            "events": self._events,
            "curves": self._watching.curves,
            "devices": devices.page,
            "attributes": records.attributes,
            "device": devices.detail,
            "device_series": devices.series,
            "device_csv": devices.download,
            "records": records.page,
            "record": records.record,
            "put_record": records.put,
            "refresh": records.refresh,
            "export_records": records.export,
            "import_records": records.take_in,
            "letters": letters.groups,
            "letter": letters.letter,
            "count_letters": letters.count,
            "replay_letters": letters.replay,
            "purge_letters": letters.purge,
            "mapping": trying.in_force,
            "try_payload": trying.attempt,
        }
        self.app = web.Application(middlewares=[self._problems])
        self.app.add_routes(
            web.route(each.method, each.path, self._answering(each, handlers[each.name]))
            for each in OPERATIONS
        )
        self.app.add_routes([web.get("/openapi.json", self._document)])

    async def run(self) -> None:
        """Keep index and figures going, until cancelled."""
        async with asyncio.TaskGroup() as group:
            for name, run in (
                ("console-index", self._index.renewed.run),
                ("console-known", self._fleet.known.run),
                ("console-reporting", self._fleet.reporting.run),
                ("console-watching", self._watching.run),
                ("console-forgetting", self._records.run),
            ):
                group.create_task(self._keep_going(run), name=name)

    async def _keep_going(self, run: Callable[[], Awaitable[None]]) -> None:
        """A defect of the console is told, and no reason for readings to wait."""
        while True:
            try:
                await run()
            except Exception as error:  # noqa: BLE001 - see above
                _log.error("the console stumbled\n%s", format_failure(error))
                await self._clock.sleep(1.0)

    def _answering(self, operation: Operation, handler: Handler) -> Any:
        async def handle(request: web.Request) -> web.StreamResponse:
            identity = await self._identify(request, operation)
            if operation.name == "events":
                return await self._events(Call(operation, request, identity, {}, None))
            async with asyncio.timeout(REQUEST_SECONDS):
                made = await handler(await read_call(request, operation, identity))
            return made if isinstance(made, web.StreamResponse) else answer(made)

        return handle

    async def _identify(self, request: web.Request, operation: Operation) -> Identity:
        identity = await self._access.identify(request)
        if operation.permission not in identity.permissions:
            raise Refuse(403, f"Your role, {identity.role}, does not allow this.")
        limit = self._reads if operation.permission == "read" else self._changes
        if wait := limit.wait_seconds(identity.user or request.remote or ""):
            raise Refuse(429, "You ask too often.", headers={"Retry-After": str(int(wait) + 1)})
        return identity

    async def _session(self, call: Call) -> model.Session:
        identity = call.identity
        return model.Session(
            mode="cognito" if self._access.mode == "cognito" else "local",
            user=identity.user,
            role=identity.role,
            permissions=list(identity.permissions),
            links=[model.Link(name=name, url=url) for name, url in self._facts.links.items()],  # type: ignore[arg-type]  # the settings' names
            version=self._facts.version,
            task=self._facts.task,
            expires_ms=identity.expires_ms,
        )

    async def _document(self, request: web.Request) -> web.Response:
        await self._access.identify(request)
        return web.Response(body=FILE.read_bytes(), content_type=JSON)

    async def _events(self, call: Call) -> web.StreamResponse:
        """Figures until the reader leaves, its token expires, or it takes nothing any more."""
        lifetime = STREAM_SECONDS
        if call.identity.expires_ms is not None:
            lifetime = min(lifetime, max(0.0, call.identity.expires_ms / 1000 - time.time()))
        stream: web.StreamResponse | None = None
        async with contextlib.aclosing(self._watching.events()) as events:
            with contextlib.suppress(TimeoutError, ConnectionError):
                async with asyncio.timeout(lifetime):
                    async for figures in events:
                        if stream is None:
                            stream = web.StreamResponse(headers={"X-Accel-Buffering": "no"})
                            stream.content_type = EVENTS
                            await stream.prepare(call.request)
                        async with asyncio.timeout(SEND_SECONDS):
                            await stream.write(_event(figures))
        return stream or web.Response(content_type=EVENTS)

    @web.middleware
    async def _problems(self, request: web.Request, handler: Any) -> web.StreamResponse:
        try:
            made: web.StreamResponse = await handler(request)
        except Refuse as refusal:
            return response(refusal)
        except Unavailable as error:
            seconds = str(int(error.retry_after_seconds or 2))
            return response(Refuse(503, error.reason, headers={"Retry-After": seconds}))
        except TimeoutError:
            detail = "The answer could not be made in time."
            return response(Refuse(503, detail, headers={"Retry-After": "5"}))
        except web.HTTPException as error:
            headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
            return response(Refuse(error.status, f"{error.reason}.", headers=headers))
        except Exception as error:  # noqa: BLE001 - a defect in one answer is no reason to stop
            _log.error("%s could not be answered\n%s", request.path, format_failure(error))
            return response(Refuse(500, "This is a defect of the ingestor; its log says more."))
        else:
            return made

    def _audit(self, call: Call, **facts: object) -> None:
        self._log.info(
            "console change",
            operation=call.operation.name,
            user=call.identity.user or "local",
            remote=call.request.remote,
            **facts,
        )


def _event(figures: model.Figures | None) -> bytes:
    if figures is None:
        return b":\n\n"
    return b"event: figures\ndata: " + msgspec.json.encode(figures) + b"\n\n"


@contextlib.asynccontextmanager
async def running(console: Console) -> AsyncIterator[Console]:
    """The console with what runs beside it, until the end of the block.

    A defect in there ends what runs inside the block too.
    """
    async with asyncio.TaskGroup() as group:
        task = group.create_task(console.run(), name="console")
        try:
            yield console
        finally:
            task.cancel()
