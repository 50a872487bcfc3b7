"""The console of this service: its adapters, by the settings."""

import os
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from importlib.metadata import version
from importlib.resources import as_file, files
from pathlib import Path
from random import SystemRandom
from typing import Any

import msgspec

from ingestor.adapters.dynamodb.records import open_records
from ingestor.adapters.influxdb.reader import InfluxDbReader, basic, open_reader, token
from ingestor.app.late import Late, LateRecords, LateStore
from ingestor.app.letters import open_box
from ingestor.config import Settings
from ingestor.console.access import Access, LocalAccess, NoAccess, TokenAccess, is_loopback_name
from ingestor.console.model import SignIn
from ingestor.console.records import Forget
from ingestor.console.server import Console, Facts, World, running
from ingestor.core.tablekeys import Keys
from ingestor.dependencies import mapping_version, open_store
from ingestor.ops.pages import Page, built_page
from ingestor.ops.server import Extras
from ingestor.ports import Clock
from ingestor.telemetry.catalogue import FIGURES, REJECTED
from ingestor.telemetry.facts import Telemetry

HOLD_SECONDS = 60
"""How long letters stay out of sight when the process is killed while it looks at them."""


@asynccontextmanager
async def open_console(
    settings: Settings,
    telemetry: Telemetry,
    clock: Clock,
    *,
    status: Callable[[], Mapping[str, Any]],
    forget: Forget,
) -> AsyncIterator[Extras]:
    """The console, for the ops server, until the end of the block.

    Nothing is opened at AWS, and nobody is asked anything, before somebody looks.
    """
    async with AsyncExitStack() as stack:
        keys = Keys(settings.metadata_key_attribute, settings.metadata_sort_attribute)
        world = World(
            status=status,
            reader=await stack.enter_async_context(_reader(settings, clock)),
            table=LateRecords(
                Late(
                    lambda: open_records(
                        table=settings.metadata_table,
                        key_attribute=keys.partition,
                        sort_attribute=keys.sort,
                    ),
                    stack,
                )
            ),
            store=LateStore(
                Late(lambda: open_store(settings, clock=clock, random=SystemRandom()), stack)
            ),
            open_box=Late(
                lambda: open_box(settings, None, hold_seconds=HOLD_SECONDS), stack
            ).opened,
            forget=forget,
            clock=clock,
        )
        access = await _access(settings, clock, stack)
        console = Console(world, _facts(settings, keys), access, telemetry.log)
        await stack.enter_async_context(running(console))
        yield Extras(
            console=console.app,
            pages=None if isinstance(access, NoAccess) else _pages(settings),
            signed_in=settings.console_issuer is not None,
            sign_in=settings.console_sign_in,
        )


def _reader(settings: Settings, clock: Clock) -> AbstractAsyncContextManager[InfluxDbReader]:
    given = settings.console_influxdb_token
    if settings.influxdb_api == "v1":
        password = settings.influxdb_password
        database, policy = settings.influxdb_database or "", ""
        header = basic(
            settings.influxdb_username, password.get_secret_value() if password else None
        )
    else:
        given = given or settings.influxdb_token
        header = None
        named = settings.console_influxdb_database or settings.influxdb_bucket or ""
        database, _, policy = named.partition("/")
    return open_reader(
        url=settings.influxdb_url,
        database=database,
        retention_policy=policy or None,
        authorization=token(given.get_secret_value()) if given else header,
        own=frozenset({FIGURES, REJECTED}),
        clock=clock,
    )


async def _access(settings: Settings, clock: Clock, stack: AsyncExitStack) -> Access:
    if settings.console_issuer is not None:
        # Cryptography takes longer to import than all the rest; who signs nobody in needs none.
        from ingestor.adapters.cognito import open_cognito  # noqa: PLC0415 - see above

        verifier = await stack.enter_async_context(
            open_cognito(
                issuer=settings.console_issuer, client=settings.console_client or "", clock=clock
            )
        )
        return TokenAccess(verifier)
    return LocalAccess() if is_loopback_name(settings.ops_host) else NoAccess()


def _facts(settings: Settings, keys: Keys) -> Facts:
    links = {"grafana": settings.console_grafana, "chronograf": settings.console_chronograf}
    return Facts(
        keys=keys,
        device_tag=settings.console_device_tag,
        mapping=settings.mapping,
        mapping_version=mapping_version(settings.mapping),
        version=version("ingestor"),
        task=settings.task_id or f"{socket.gethostname()}-{os.getpid()}",
        own_measurement=FIGURES,
        report_seconds=settings.self_report_seconds,
        ttl_seconds=settings.cache_ttl_seconds,
        links={name: url for name, url in links.items() if url is not None},
    )


def _pages(settings: Settings) -> Mapping[str, Page] | None:
    """The built page with how to sign in; None: as long as it is not built, the status page."""
    with as_file(files("ingestor.console").joinpath("dist")) as folder:
        pages = built_page(Path(folder))
    if pages is None:
        return None
    sign_in = SignIn(
        issuer=settings.console_issuer,
        client=settings.console_client,
        signIn=settings.console_sign_in,
    )
    return {**pages, "/config.json": Page(msgspec.json.encode(sign_in), "application/json")}
