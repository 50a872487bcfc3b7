"""Each implementation of the `MetadataStore` port, with what a test needs on its other side."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from contracts.emulators import Emulator, client, make_table, put_items, unique

from ingestor.adapters.cache import CachedMetadata
from ingestor.adapters.clock import SystemClock
from ingestor.adapters.dynamodb import open_dynamodb
from ingestor.adapters.memory import MemoryMetadata
from ingestor.core.metadata import Metadata
from ingestor.core.tagvalues import tag_values
from ingestor.ports import MetadataStore

KEY = "metakey"

Item = Mapping[str, Mapping[str, Any]]
"""A record in DynamoDB's typed form."""


@dataclass(slots=True, frozen=True)
class StoreUnderTest:
    """A store, and how to put a record into it."""

    store: MetadataStore
    put: Callable[[Item], Awaitable[None]]


OpenStore = Callable[[], AbstractAsyncContextManager[StoreUnderTest]]


@asynccontextmanager
async def memory_store() -> AsyncIterator[StoreUnderTest]:
    """The shipped fake."""
    store = MemoryMetadata()

    async def put(item: Item) -> None:
        store.records[item[KEY]["S"]] = Metadata(tag_values(item))

    yield StoreUnderTest(store, put)


def dynamodb_store(emulator: Emulator) -> OpenStore:
    """The DynamoDB adapter in front of an emulator; the environment must hold credentials."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[StoreUnderTest]:
        table = unique("DeviceMetaData")
        async with client(emulator, "dynamodb") as dynamodb:
            await make_table(dynamodb, table, key=KEY)

            async def put(item: Item) -> None:
                await put_items(dynamodb, table, item)

            async with open_dynamodb(
                table=table,
                key_attribute=KEY,
                clock=SystemClock(),
                random=Random(1),  # noqa: S311 - chance, not secrets
                endpoint_url=emulator.url,
                region_name=emulator.region,
            ) as store:
                yield StoreUnderTest(store, put)

    return opened


def cached(open_store: OpenStore) -> OpenStore:
    """The cache in front of another store: it keeps the same promises."""

    @asynccontextmanager
    async def opened() -> AsyncIterator[StoreUnderTest]:
        async with open_store() as inner:
            cache = CachedMetadata(
                inner.store,
                capacity=1000,
                ttl_seconds=300,
                negative_ttl_seconds=15,
                stale_seconds=3600,
                clock=SystemClock(),
                random=Random(1),  # noqa: S311 - chance, not secrets
            )
            yield StoreUnderTest(cache, inner.put)

    return opened
