"""From held messages to lines, through the metadata look-up."""

import asyncio
from collections.abc import Mapping, Sequence

from ingestor.core.backoff import Backoff
from ingestor.core.encode import Encoder
from ingestor.core.message import Message, Stage
from ingestor.core.metadata import Metadata
from ingestor.core.process import Parsed, encode, encode_at_once, parse, wanted_keys
from ingestor.pipeline.assemble import Assembler
from ingestor.pipeline.context import Context
from ingestor.pipeline.intake import Intake
from ingestor.pipeline.poison import PoisonGuard
from ingestor.pipeline.settle import Settler
from ingestor.ports import MetadataCache, Unavailable

AT_ONCE = 10
"""Messages that are not of the usual form between two turns of the event loop."""


class Enricher:
    """Decodes, looks up, encodes, and hands lines on: at once where the records are at hand.

    Messages whose key was not answered for wait here (the window bounds them) and are asked for
    again with back-off; all others go on at once. The store being out of reach altogether closes
    the intake.
    """

    def __init__(
        self,
        *,
        store: MetadataCache,
        encoder: Encoder,
        assembler: Assembler,
        settler: Settler,
        intake: Intake,
        context: Context,
        hold_seconds: float,
        guard: PoisonGuard,
    ) -> None:
        self._guard = guard
        self._store = store
        self._encoder = encoder
        self._assembler = assembler
        self._settler = settler
        self._intake = intake
        self._context = context
        self._clock = context.clock
        self._telemetry = context.telemetry
        self._hold_seconds = hold_seconds
        self._waiting: list[Parsed] = []
        self._some_wait = asyncio.Event()

    def __len__(self) -> int:
        return len(self._waiting)

    async def submit(self, messages: Sequence[Message]) -> None:
        """Take fresh messages. Suspends while the writers are behind."""
        lines, owners, others = encode_at_once(self._encoder, messages, self._store.at_hand())
        self._guard.saw(Stage.DECODE, good=len(owners), refused=0)
        self._guard.saw(Stage.MAP, good=len(owners), refused=0)
        if lines:
            await self._assembler.add(lines, owners)
        if others:
            await self._resolve(await self._parse(others))

    async def run(self) -> None:
        """Ask again for what was not answered, until cancelled."""
        backoff = Backoff()
        while True:
            await self._some_wait.wait()
            await self._clock.sleep(self._context.delay(backoff))
            waiting, self._waiting = self._waiting, []
            self._some_wait.clear()
            await self._resolve(waiting)
            if not self._waiting:
                backoff.reset()

    async def _parse(self, messages: Sequence[Message]) -> list[Parsed]:
        """Decode what may be of any form, and take any time: the loop turns in between."""
        all_parsed: list[Parsed] = []
        for n in range(0, len(messages), AT_ONCE):
            parsed, rejected = parse(self._encoder, messages[n : n + AT_ONCE])
            self._guard.saw(Stage.DECODE, good=len(parsed), refused=len(rejected))
            self._settler.reject(rejected)
            all_parsed += parsed
            await asyncio.sleep(0)
        return all_parsed

    async def _resolve(self, parsed: list[Parsed]) -> None:
        keys = wanted_keys(parsed)
        try:
            records = await self._store.fetch(keys) if keys else {}
        except Unavailable as error:
            self._intake.block("dynamodb", error.reason)
            records = {}
        else:
            if keys:
                self._intake.unblock("dynamodb")
        for n in range(0, len(parsed), AT_ONCE):
            await self._encode(parsed[n : n + AT_ONCE], records)
            await asyncio.sleep(0)

    async def _encode(
        self, parsed: Sequence[Parsed], records: Mapping[str, Metadata | None]
    ) -> None:
        encoded = encode(parsed, records)
        refused = len(encoded.rejected)
        good = len(parsed) - refused - len(encoded.unanswered) - len(encoded.on_hold)
        self._guard.saw(Stage.MAP, good=good, refused=refused)
        self._settler.reject(encoded.rejected)
        self._settler.release(encoded.on_hold, self._hold_seconds, why="no metadata record yet")
        self._telemetry.stored_without_metadata(encoded.without_metadata)
        if encoded.unanswered:
            self._waiting += encoded.unanswered
            self._some_wait.set()
        await self._assembler.add(encoded.lines, encoded.owners)
