"""Keys: fetched off the loop, by one at a time, and replaced before they end."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import CredentialRetrievalError
from support.canned import CannedServer, reply

from ingestor.adapters.sqs.lean import credentials as module
from ingestor.adapters.sqs.lean.credentials import Credentials
from ingestor.adapters.sqs.lean.endpoint import make_session
from ingestor.adapters.sqs.lean.signing import Keys
from ingestor.ports import Unavailable


@dataclass
class Source:
    """Temporary keys, as botocore hands them out: each look gives those with the next number."""

    seconds_left: float = 3600.0
    number: int = 0
    failure: Exception | None = None
    gate: threading.Event = field(default_factory=threading.Event)
    access_key: str = "key"
    secret_key: str = "secret"
    token: str | None = "token"

    def __post_init__(self) -> None:
        self.gate.set()

    def refresh_needed(self, refresh_in: float) -> bool:
        """Whether the present keys end within so many seconds."""
        return self.seconds_left < refresh_in

    def get_frozen_credentials(self) -> "Source":
        """The present keys, after asking whoever gives them."""
        self.gate.wait()
        if self.failure:
            raise self.failure
        self.number += 1
        return Source(access_key=f"{self.access_key}-{self.number}")


@asynccontextmanager
async def over(source: Source | None) -> AsyncIterator[Credentials]:
    """Credentials from a source of the test's own."""

    class Session:
        def get_credentials(self) -> Any:
            return source

    session: Any = Session()
    async with Credentials(lambda: session) as credentials:
        yield credentials


@pytest.fixture(autouse=True)
def _looks_every_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOOK_EVERY_SECONDS", 0.0)


async def test_all_who_wait_wait_for_one_look() -> None:
    """A hundred calls at the start ask the metadata service once."""
    source = Source()
    async with over(source) as credentials:
        got = await asyncio.gather(*(credentials.get() for _ in range(100)))
    assert {id(each) for each in got} == {id(got[0])}
    assert got[0] == Keys("key-1", "secret", "token")
    assert source.number == 1


async def test_keys_are_replaced_in_the_background() -> None:
    """While the old ones are still good nobody waits for the new ones."""
    source = Source()
    async with over(source) as credentials:
        await credentials.get()
        source.seconds_left = 600
        source.gate.clear()
        assert (await credentials.get()).access_key == "key-1"
        assert credentials.held() is not None
        source.seconds_left = 3600
        source.gate.set()
        while (await credentials.get()).access_key == "key-1":  # noqa: ASYNC110 - the look is a task
            await asyncio.sleep(0)
        assert (await credentials.get()).access_key == "key-2"


async def test_a_failed_replacement_is_tried_again() -> None:
    """The old keys serve as long as they are good."""
    source = Source()
    async with over(source) as credentials:
        await credentials.get()
        source.seconds_left = 600
        source.failure = CredentialRetrievalError(provider="role", error_msg="no")
        for _ in range(20):
            assert (await credentials.get()).access_key == "key-1"
            await asyncio.sleep(0)
        source.seconds_left = 5
        with pytest.raises(Unavailable, match="CredentialRetrievalError"):
            await credentials.get()
        source.failure = None
        source.seconds_left = 3600
        assert (await credentials.get()).access_key in {"key-1", "key-2"}


async def test_ended_keys_are_waited_for() -> None:
    """Nothing is signed with keys that are about to end."""
    source = Source()
    async with over(source) as credentials:
        await credentials.get()
        source.seconds_left = 5
        assert credentials.held() is None
        assert (await credentials.get()).access_key == "key-2"


async def test_refused_keys_are_replaced() -> None:
    """From a chain that starts from scratch; once for all who were refused."""
    source = Source()
    async with over(source) as credentials:
        keys = await credentials.get()
        assert await asyncio.gather(*(credentials.replace(keys) for _ in range(10))) == [True] * 10
        assert (await credentials.get()).access_key == "key-2"


async def test_the_same_keys_again_are_no_replacement() -> None:
    """They would be refused again."""

    class Fixed(Source):
        def get_frozen_credentials(self) -> Source:
            return Source()

    async with over(Fixed()) as credentials:
        keys = await credentials.get()
        assert not await credentials.replace(keys)
        assert await credentials.get() is keys


async def test_without_keys_the_remedy_is_named() -> None:
    """A chain that ends without any."""
    async with over(None) as credentials:
        with pytest.raises(Unavailable, match="give the task a role"):
            await credentials.get()


@pytest.mark.parametrize("part", [{"access_key": "a\r\nb"}, {"token": "a\nb"}])
async def test_keys_that_no_header_can_hold(part: dict[str, str]) -> None:
    """A line end in them would be another header."""

    class Odd(Source):
        def get_frozen_credentials(self) -> Source:
            return Source(**part)  # type: ignore[arg-type] # the parts of the parameters are texts

    async with over(Odd()) as credentials:
        with pytest.raises(Unavailable, match="no header can"):
            await credentials.get()


async def test_a_look_under_way_does_not_outlive_its_owner() -> None:
    """The task is ended with the client, whoever waits for it."""
    source = Source()
    source.gate.clear()
    async with over(source) as credentials:
        waiting = asyncio.create_task(credentials.get(), name="waiting")
        await asyncio.sleep(0)
    await asyncio.wait([waiting])
    assert waiting.cancelled()
    source.gate.set()


async def test_the_role_of_a_container_is_found_and_renewed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As ECS gives it, over HTTP, with an end."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    def role(number: int, seconds: float) -> bytes:
        end = datetime.now(UTC) + timedelta(seconds=seconds)
        answer = {
            "AccessKeyId": f"role-{number}",
            "SecretAccessKey": "secret",
            "Token": f"token-{number}",
            "Expiration": end.strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        return reply(200, json.dumps(answer))

    async with CannedServer() as server:
        monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{server.url}/role")
        # A second role is at hand from the start: botocore itself renews keys that end this soon.
        server.replies += [role(1, 700), role(2, 7200)]
        async with Credentials(make_session) as credentials:
            while (keys := await credentials.get()).access_key != "role-2":  # noqa: ASYNC110 - as above
                await asyncio.sleep(0)
    assert keys.token == "token-2"
    assert len(server.requests) == 2
