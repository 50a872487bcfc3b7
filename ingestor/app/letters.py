"""The dead letters that operators look at, by the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from ingestor.adapters.sqs.dead_letters import HOLD_SECONDS, DeadLetterBox, open_dead_letters
from ingestor.config import Settings
from ingestor.console.redrive import Choice, Replayed, look, purge, reason_of, replay

__all__ = ["Choice", "Replayed", "look", "open_box", "purge", "reason_of", "replay"]


@asynccontextmanager
async def open_box(
    settings: Settings, url: str | None, *, hold_seconds: int = HOLD_SECONDS
) -> AsyncIterator[DeadLetterBox]:
    """The letters at `url`, or in the dead-letter queue of the settings."""
    async with open_dead_letters(
        queue_url=settings.queue_url,
        dead_letter_queue_url=url or settings.dead_letter_queue_url,
        hold_seconds=hold_seconds,
    ) as box:
        yield box
