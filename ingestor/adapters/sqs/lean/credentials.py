"""Credentials from botocore's own chain, fetched and refreshed off the event loop."""

import asyncio
from collections.abc import Callable
from typing import Any, Self

from botocore.exceptions import BotoCoreError
from botocore.session import Session

from ingestor.adapters.aws import no_credentials
from ingestor.adapters.sqs.lean.signing import Keys
from ingestor.ports import Unavailable

LOOK_EVERY_SECONDS = 5.0
REFRESH_BEFORE_SECONDS = 900
"""How long before their end temporary keys are replaced, in the background."""
UNUSABLE_BEFORE_SECONDS = 10
"""From here on nothing is signed with them any more."""


class Credentials:
    """The present keys, as an async context manager.

    Args:
        make_session: Reads botocore's configuration anew, for a chain that starts from scratch.
    """

    def __init__(self, make_session: Callable[[], Session]) -> None:
        self._make_session = make_session
        self._loop = asyncio.get_running_loop()
        self._source: Any = None
        self._keys: Keys | None = None
        self._look_at = 0.0
        self._fetching: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._fetching is not None:
            self._fetching.cancel()
            await asyncio.gather(self._fetching, return_exceptions=True)

    async def get(self) -> Keys:
        """Keys that are valid for a while yet.

        Raises:
            Unavailable: there are none, or fetching them failed.
        """
        keys = self.held()
        if keys is None:
            await self._fetched(anew=False)
            keys = self._keys
        if keys is None:
            raise Unavailable(no_credentials("SQS"))
        return keys

    def held(self) -> Keys | None:
        """The same without waiting; None when keys have to be fetched first."""
        now = self._loop.time()
        if now < self._look_at:
            return self._keys
        # Keys that last have no such method.
        ends_within = getattr(self._source, "refresh_needed", None)
        if self._keys is not None and ends_within is not None:
            if ends_within(UNUSABLE_BEFORE_SECONDS):
                return None
            if ends_within(REFRESH_BEFORE_SECONDS):
                self._start(anew=False)
        self._look_at = now + LOOK_EVERY_SECONDS
        return self._keys

    async def replace(self, refused: Keys) -> bool:
        """SQS does not accept these keys: True when there are others now."""
        if self._keys is refused:
            await self._fetched(anew=True)
        return self._keys is not None and self._keys != refused

    async def _fetched(self, *, anew: bool) -> None:
        self._start(anew=anew)
        if self._fetching is not None:
            await asyncio.shield(self._fetching)

    def _start(self, *, anew: bool) -> None:
        """See to it that the one task runs that fetches keys, for all who wait for it."""
        if self._fetching is None or self._fetching.done():
            self._fetching = self._loop.create_task(self._run(anew=anew), name="sqs-credentials")
            # Whoever waits raises it; when nobody does, the old keys are still good.
            self._fetching.add_done_callback(lambda task: task.cancelled() or task.exception())

    async def _run(self, *, anew: bool) -> None:
        source = None if anew else self._source
        try:
            # Files, processes and metadata services: botocore blocks while it asks them.
            source, keys = await asyncio.to_thread(self._load, source)
        except BotoCoreError as exc:
            kind = type(exc).__name__
            raise Unavailable(f"The AWS credentials for SQS cannot be fetched: {kind}.") from exc
        self._source = source
        if keys != self._keys:  # the signer knows the old ones by identity
            self._keys = keys
        self._look_at = self._loop.time() + LOOK_EVERY_SECONDS

    def _load(self, source: Any) -> tuple[Any, Keys | None]:
        source = source or self._make_session().get_credentials()
        if source is None:
            return None, None
        frozen = source.get_frozen_credentials()
        keys = Keys(frozen.access_key, frozen.secret_key, frozen.token)
        if not f"{keys.access_key}{keys.token}".isprintable():
            raise Unavailable("The AWS credentials for SQS hold characters that no header can.")
        return source, keys
