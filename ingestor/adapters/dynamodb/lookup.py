"""The `MetadataStore` port over DynamoDB."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from ingestor.adapters.aws import ErrorAnswer, calling, code_of
from ingestor.adapters.dynamodb.client import CALLS_AT_ONCE, open_client
from ingestor.adapters.dynamodb.keys import can_be_a_key, key_of_no_record
from ingestor.adapters.dynamodb.setup import TableSetupError, inspect
from ingestor.core.backoff import Backoff
from ingestor.core.metadata import Metadata
from ingestor.core.tablekeys import Keys
from ingestor.core.tagvalues import SharedTexts, tag_values
from ingestor.ports import Clock, Unavailable

if TYPE_CHECKING:  # the stubs are not installed where the service runs
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import KeysAndAttributesTypeDef

KEYS_PER_CALL = 100
ATTEMPTS = 5
"""How often one fetch asks for keys that DynamoDB leaves unprocessed."""
FETCH_SECONDS = 10.0
"""Time after which a fetch asks no further; a call under way has its own limit."""

_THROTTLED = "ProvisionedThroughputExceededException"
_WRONG_KEY = "does not match the schema"


class _Invalid(Exception):
    """DynamoDB finds fault with one of the keys of a call, or with all of them."""


@asynccontextmanager
async def open_dynamodb(
    *,
    table: str,
    key_attribute: str,
    clock: Clock,
    random: Random,
    sort_attribute: str | None = None,
    endpoint_url: str | None = None,
    region_name: str | None = None,
) -> AsyncIterator["DynamoDbMetadata"]:
    """Access to a table until the end of the block. Nothing is asked before the first fetch.

    Args:
        table: Its name.
        key_attribute: Its partition key, a string.
        clock: What back-off waits on.
        random: Where jitter comes from.
        sort_attribute: Its sort key, a string; None: it has none. With one, keys are those that
            `core.metadata.join_key` makes.
        endpoint_url: Another address than the region's; None: as AWS_ENDPOINT_URL says.
        region_name: None: as AWS_REGION or AWS_DEFAULT_REGION says.

    Raises:
        TableSetupError: no region is set.
        Unavailable: no client can be made.
    """
    opening = open_client(
        endpoint_url=endpoint_url, region_name=region_name, setup_error=TableSetupError
    )
    async with opening as client:
        yield DynamoDbMetadata(
            client=client,
            table=table,
            keys=Keys(key_attribute, sort_attribute),
            clock=clock,
            random=random,
        )


@dataclass(slots=True)
class _Answers:
    """What one fetch has learned so far; `error` is why something is missing."""

    records: dict[str, Metadata | None] = field(default_factory=dict)
    error: Unavailable | None = None


class DynamoDbMetadata:
    """Records of one table, looked up by BatchGetItem. Made by `open_dynamodb`.

    Reads are eventually consistent: half the price, and a record may be a second old anyway.
    """

    def __init__(
        self,
        *,
        client: "DynamoDBClient",
        table: str,
        keys: Keys,
        clock: Clock,
        random: Random,
    ) -> None:
        self._client = client
        self._table = table
        self._keys = keys
        self._clock = clock
        self._random = random
        self._slots = asyncio.Semaphore(CALLS_AT_ONCE)
        self._texts = SharedTexts()
        self._has_answered = False

    def __repr__(self) -> str:
        return f"<DynamoDbMetadata {self._table}>"

    async def fetch(self, keys: Sequence[str]) -> dict[str, Metadata | None]:
        """See MetadataStore. A text that no key can be certainly has no record."""
        answers = _Answers()
        wanted = []
        for key in dict.fromkeys(keys):
            if can_be_a_key(key, self._keys):
                wanted.append(key)
            else:
                answers.records[key] = None
        deadline = self._clock.monotonic() + FETCH_SECONDS
        async with asyncio.TaskGroup() as group:
            for n in range(0, len(wanted), KEYS_PER_CALL):
                group.create_task(
                    self._fetch_chunk(wanted[n : n + KEYS_PER_CALL], answers, deadline),
                    name=f"dynamodb-fetch-{n}",
                )
        if keys and not answers.records and not await self._is_about_these_keys(answers):
            raise answers.error or Unavailable("DynamoDB left all keys unprocessed.")
        return answers.records

    async def check(self) -> None:
        """Return when the table is there, keyed as we assume, and ours to read.

        Raises:
            TableSetupError: the table does not exist, or has another key.
            Unavailable: DynamoDB did not answer, or not to us.
        """
        await inspect(self._client, self._table, self._keys)
        await self.fetch([key_of_no_record(self._keys)])

    async def _is_about_these_keys(self, answers: _Answers) -> bool:
        """Whether DynamoDB, which answered for none of the keys, does answer for another one.

        A partition that is asked too often says the same as a table that is. The control key
        tells them apart: for the sake of one device the others must not wait.
        """
        error = answers.error
        if error is not None and not (isinstance(error, ErrorAnswer) and error.code == _THROTTLED):
            return False
        try:
            async with self._slots:
                return not await self._ask([key_of_no_record(self._keys)], _Answers())
        except (Unavailable, _Invalid):
            return False

    async def _fetch_chunk(self, keys: list[str], answers: _Answers, deadline: float) -> None:
        """Ask for keys until all are answered, nobody answers, or time is up."""
        backoff = Backoff(first_seconds=0.05, most_seconds=1.0)
        for attempt in range(ATTEMPTS):
            if attempt:
                delay = backoff.next_delay(self._random.random())
                if self._clock.monotonic() + delay > deadline:
                    return
                await self._clock.sleep(delay)
            try:
                async with self._slots:
                    keys = await self._ask(keys, answers)
            except Unavailable as error:
                answers.error = error
                return
            except _Invalid:
                await self._narrow(keys, answers, deadline)
                return
            if not keys:
                return

    async def _narrow(self, keys: list[str], answers: _Answers, deadline: float) -> None:
        """Ask by halves, so that one key that DynamoDB does not accept hurts no other."""
        if len(keys) > 1:
            middle = len(keys) // 2
            await self._fetch_chunk(keys[:middle], answers, deadline)
            await self._fetch_chunk(keys[middle:], answers, deadline)
        elif self._has_answered:
            answers.records[keys[0]] = None
        else:
            # Nothing shows yet that it is this key, and not how we ask for any key.
            answers.error = Unavailable(
                "DynamoDB does not accept the request (ValidationException)."
            )

    async def _ask(self, keys: list[str], answers: _Answers) -> list[str]:
        """One call: adds to the answers, and returns the keys that were left unprocessed."""
        request: KeysAndAttributesTypeDef = {"Keys": [self._keys.item(key) for key in keys]}
        async with calling("DynamoDB", "BatchGetItem"):
            try:
                answer = await self._client.batch_get_item(RequestItems={self._table: request})
            except ClientError as exc:
                message = exc.response.get("Error", {}).get("Message", "")
                if code_of(exc) != "ValidationException":
                    raise
                if _WRONG_KEY in message:
                    raise Unavailable(
                        f"The key of the table {self._table} is not the string "
                        f"{self._keys.partition}: DynamoDB does not accept the request."
                    ) from exc
                raise _Invalid from exc
            found, left = self._read(answer)
        self._has_answered = True
        answers.records |= {key: found.get(key) for key in keys if key not in left}
        return [key for key in keys if key in left]

    def _read(self, answer: Any) -> tuple[dict[str, Metadata], set[str]]:
        """The records that were found, and the keys that were left unprocessed.

        Raises KeyError when there is no list of records: then nothing is known to be missing.
        """
        found = {
            self._keys.of(item): Metadata(self._texts.of(tag_values(item)))
            for items in answer["Responses"].values()
            for item in items
        }
        left = {
            self._keys.of(key)
            for request in answer.get("UnprocessedKeys", {}).values()
            for key in request["Keys"]
        }
        return found, left
