"""What is opened when it is needed: a client for AWS takes a tenth of a second and 10 MB."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from typing import Generic, TypeVar

from ingestor.adapters.dynamodb import TableSetupError
from ingestor.adapters.sqs import QueueSetupError
from ingestor.console_ports import Item, Merged, RecordTable
from ingestor.core.metadata import Metadata
from ingestor.ports import MetadataStore, Unavailable

Opened = TypeVar("Opened")


class Late(Generic[Opened]):
    """Opens once, and again after a failure; stays open until the end of `stack`."""

    def __init__(
        self, opening: Callable[[], AbstractAsyncContextManager[Opened]], stack: AsyncExitStack
    ) -> None:
        self._open = opening
        self._stack = stack
        self._lock = asyncio.Lock()
        self._opened: Opened | None = None

    async def get(self) -> Opened:
        """What was opened; raises `Unavailable`, also where it cannot be used as it is."""
        async with self._lock:
            if self._opened is None:
                try:
                    self._opened = await self._stack.enter_async_context(self._open())
                except (QueueSetupError, TableSetupError) as error:
                    raise Unavailable(str(error)) from error
            return self._opened

    @asynccontextmanager
    async def opened(self) -> AsyncIterator[Opened]:
        """The same as a context, at whose end it stays open."""
        yield await self.get()


class LateStore:
    """A `MetadataStore` that is opened late."""

    def __init__(self, late: Late[MetadataStore]) -> None:
        self._late = late

    async def fetch(self, keys: Sequence[str]) -> Mapping[str, Metadata | None]:
        """See MetadataStore."""
        return await (await self._late.get()).fetch(keys)


class LateRecords:
    """A `RecordTable` that is opened late."""

    def __init__(self, late: Late[RecordTable]) -> None:
        self._late = late

    async def get(self, key: str) -> Item | None:
        """See RecordTable."""
        return await (await self._late.get()).get(key)

    async def create(self, item: Item) -> bool:
        """See RecordTable."""
        return await (await self._late.get()).create(item)

    async def replace(self, old: Item, new: Item) -> bool:
        """See RecordTable."""
        return await (await self._late.get()).replace(old, new)

    async def merge(self, item: Item) -> Merged:
        """See RecordTable."""
        return await (await self._late.get()).merge(item)

    async def scan(self) -> AsyncGenerator[list[Item], None]:
        """See RecordTable."""
        table = await self._late.get()
        async with contextlib.aclosing(table.scan()) as pages:
            async for page in pages:
                yield page
