"""What tests of templates share."""

from collections.abc import AsyncIterator

import pytest_asyncio

from loadtest.servers import Moto


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def own_moto() -> AsyncIterator[Moto]:
    """An account for one file alone: its tests look at all that is there."""
    async with Moto() as running:
        yield running
