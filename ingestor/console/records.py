"""Metadata records: list, edit, import, export, and let the pipeline know."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Literal, Protocol

from aiohttp import web

from ingestor.console import model
from ingestor.console.calls import Call, answer
from ingestor.console.editing import checked, etag_of, others_of, record_of, text_problem
from ingestor.console.index import RecordIndex, Snapshot, facets, matching, page_of
from ingestor.console.operations import CSV
from ingestor.console.problems import Refuse, unusable
from ingestor.console.sheets import read_csv, write_csv
from ingestor.console_ports import Item, Merged, NotStorable, RecordTable
from ingestor.core.tablekeys import Keys
from ingestor.core.tagvalues import tag_values
from ingestor.ports import Clock, Unavailable

WRITES_AT_ONCE = 8
MOST_EXPORTED = 20_000
MOST_FAILED = 100
IMPORT_SECONDS = 20.0
AGAIN_SECONDS = 1.0
MOST_AGAIN = 100
JITTER = 1.1
"""Copies live up to a tenth longer than the TTL says."""


class Audit(Protocol):
    """Writes down what was changed."""

    def __call__(self, call: Call, **facts: object) -> None:
        """One event; `facts` are no payloads."""
        ...


Forget = Callable[[Sequence[str]], Awaitable[int | None]]
"""Drops copies of records in the caches of this task; how many there were, None if not in all."""


class Records:
    """Answers about records, and changes them."""

    def __init__(
        self,
        *,
        table: RecordTable,
        index: RecordIndex,
        forget: Forget,
        clock: Clock,
        ttl_seconds: float,
        audit: Audit,
    ) -> None:
        self._table = table
        self._index = index
        self._keys = index.keys
        self._forget = forget
        self._audit = audit
        self._ttl_seconds = ttl_seconds * JITTER
        self._exporting = asyncio.Lock()
        self._clock = clock
        self._again: asyncio.Queue[list[str]] = asyncio.Queue(MOST_AGAIN)

    async def run(self) -> None:
        """Drop changed records once more a moment later, until cancelled.

        The pipeline's look-ups are eventually consistent: for a moment they may bring what was.
        """
        while True:
            keys = await self._again.get()
            await self._clock.sleep(AGAIN_SECONDS)
            await self._forget(keys)

    async def page(self, call: Call) -> model.RecordPage:
        """One page of records."""
        snapshot = await self._index.get()
        found = await asyncio.to_thread(matching, snapshot, call.text("q"), call.query["where"])
        page, following = page_of(found, call.text("cursor"), call.whole("limit") or 0)
        rows = []
        for key in page:
            name, sort_key = self._keys.split(key)
            attributes = snapshot.records[key]
            rows.append(model.Row(key=name, sort_key=sort_key, attributes=attributes))
        return model.RecordPage(
            items=rows, next=following, total=len(found), index=self._index.state(snapshot)
        )

    async def attributes(self, _: Call) -> model.Attributes:
        """What can be filtered by."""
        snapshot = await self._index.get()
        return model.Attributes(
            key_attribute=self._keys.partition,
            sort_attribute=self._keys.sort,
            attributes=await asyncio.to_thread(facets, snapshot, self._keys.names()),
            index=self._index.state(snapshot),
        )

    async def record(self, call: Call) -> web.Response:
        """One record with its ETag, or 304."""
        item = await self._get(key_of(call, self._keys))
        if item is None:
            raise Refuse(404, "There is no such record.")
        etag = etag_of(item)
        if etag in _etags(call.request.headers.get("If-None-Match", "")):
            return web.Response(status=304, headers={"ETag": etag})
        return answer(record_of(item, self._keys), etag=etag)

    async def put(self, call: Call) -> web.Response:
        """Replace a record that is as its editor saw it, or add one."""
        key = key_of(call, self._keys)
        expected = _expected(call)
        for part in self._keys.split(key):
            if part is not None and (problem := text_problem(part)):
                raise unusable("key", problem)
        attributes = call.body.attributes
        old = await self._get(key) if expected else None
        if expected and old is None:
            raise Refuse(404, "There is no such record (any more).")
        if old is not None and etag_of(old) not in expected and expected != ["*"]:
            raise _conflict(old)
        others = others_of(old, self._keys) if old else {}
        if problems := checked(attributes, others, self._keys):
            raise Refuse(422, "The record cannot be stored as it is.", errors=problems)
        new: Item = {**self._keys.item(key), **others, **attributes}
        with _storing():
            done = await (self._table.replace(old, new) if old else self._table.create(new))
        if not done:
            raise _conflict(await self._get(key))
        # What others have added meanwhile is in it too.
        item = await self._get(key) or new
        self._index.put(item)
        _, effect = await self._took_effect([key])
        before = old or {}
        names = [name for name in {**before, **new} if before.get(name) != new.get(name)]
        self._audit(call, key=key, created=old is None, attributes=sorted(names))
        return answer(
            model.Saved(record=record_of(item, self._keys), created=old is None, effect=effect),
            status=200 if old else 201,
            etag=etag_of(item),
        )

    async def refresh(self, call: Call) -> model.Refreshed:
        """Drop copies of records."""
        body: model.Keys = call.body
        try:
            keys = [self._keys.join(each.key, each.sort_key) for each in body.keys]
        except ValueError as error:
            raise unusable("keys", str(error)) from error
        dropped, effect = await self._took_effect(keys)
        self._audit(call, keys=len(keys), dropped=dropped)
        return model.Refreshed(dropped=dropped, effect=effect)

    async def export(self, call: Call) -> web.StreamResponse:
        """All records that match, as CSV; read from the table, because it knows their types."""
        if self._exporting.locked():
            raise Refuse(503, "Another export is under way.", headers={"Retry-After": "5"})
        wanted = call.text("q"), call.query["where"]
        items: list[Item] = []
        async with self._exporting, contextlib.aclosing(self._table.scan()) as pages:
            async for page in pages:
                tags = {self._keys.of(item): tag_values(item) for item in page}
                found = set(matching(Snapshot(records=tags, order=list(tags)), *wanted))
                items += [item for item in page if self._keys.of(item) in found]
                if len(items) > MOST_EXPORTED:
                    break
        headers = {"Content-Disposition": 'attachment; filename="metadata.csv"'}
        if len(items) > MOST_EXPORTED:
            headers["X-Truncated"] = "true"
        items = sorted(items[:MOST_EXPORTED], key=self._keys.of)
        text = "".join(write_csv(items, self._keys))
        return web.Response(text=text, content_type=CSV, charset="utf-8", headers=headers)

    async def take_in(self, call: Call) -> model.Imported:
        """Add and change records from CSV: all that a mistake-free file says, or nothing."""
        items, problems = read_csv(call.body, self._keys)
        if problems:
            raise Refuse(422, "The file has mistakes; nothing was written.", errors=problems)
        dry = bool(call.query["dry_run"])
        counts = dict.fromkeys(Merged, 0)
        failed: list[model.FieldProblem] = []
        effect = model.Effect(here="at once", other_tasks_within_seconds=self._ttl_seconds)
        if not dry:
            effect = await self._merge(items, counts, failed)
            self._audit(call, rows=len(items), failed=len(failed), **counts)
        return model.Imported(
            dry_run=dry,
            rows=len(items),
            created=counts[Merged.CREATED],
            changed=counts[Merged.CHANGED],
            unchanged=counts[Merged.UNCHANGED],
            failed=failed,
            effect=effect,
        )

    async def _merge(
        self, items: Sequence[Item], counts: dict[Merged, int], failed: list[model.FieldProblem]
    ) -> model.Effect:
        slots = asyncio.Semaphore(WRITES_AT_ONCE)
        written: list[Item] = []

        async def merge(item: Item) -> None:
            key = self._keys.of(item)
            problem = "there was no time left; import the file again"
            try:
                async with asyncio.timeout_at(deadline), slots:
                    counts[await self._table.merge(item)] += 1
                    written.append(item)
                    return
            except (NotStorable, Unavailable) as error:
                problem = str(error)
            except TimeoutError:
                pass
            if len(failed) < MOST_FAILED:
                failed.append(model.FieldProblem(where=key, detail=problem))

        deadline = asyncio.get_running_loop().time() + IMPORT_SECONDS
        async with asyncio.TaskGroup() as group:
            for n, item in enumerate(items):
                group.create_task(merge(item), name=f"console-import-{n}")
        for item in written:
            self._index.merge(item)
        _, effect = await self._took_effect([self._keys.of(item) for item in written])
        return effect

    async def _took_effect(self, keys: list[str]) -> tuple[int, model.Effect]:
        """Readings get the changed records from now on; how many copies of them there were."""
        with contextlib.suppress(asyncio.QueueFull):
            self._again.put_nowait(keys)
        dropped = await self._forget(keys)
        here: Literal["at once", "when copies expire"]
        here = "when copies expire" if dropped is None else "at once"
        return dropped or 0, model.Effect(here=here, other_tasks_within_seconds=self._ttl_seconds)

    async def _get(self, key: str) -> Item | None:
        with _storing():
            return await self._table.get(key)


def key_of(call: Call, keys: Keys) -> str:
    """The key that a request names."""
    try:
        return keys.join(call.needed("key"), call.text("sort_key"))
    except ValueError as error:
        raise unusable("sort_key", str(error)) from error


@contextlib.contextmanager
def _storing() -> Iterator[None]:
    try:
        yield
    except NotStorable as error:
        raise unusable("record", f"{error}") from error


def _etags(header: str) -> list[str]:
    return [each.strip().removeprefix("W/") for each in header.split(",") if each.strip()]


def _expected(call: Call) -> list[str]:
    """The ETags of If-Match; empty where the record is to be a new one."""
    match = call.request.headers.get("If-Match")
    none_match = call.request.headers.get("If-None-Match")
    if (match is None) == (none_match is None) or (none_match or "*").strip() != "*":
        raise Refuse(
            428,
            "Send If-Match with the ETag that was read to change a record, or If-None-Match: * "
            "to add one.",
        )
    return [] if match is None else _etags(match) or [""]


def _conflict(item: Item | None) -> Refuse:
    headers = {} if item is None else {"ETag": etag_of(item)}
    return Refuse(
        412,
        "Somebody else has changed this record since it was read.",
        kind="urn:ingestor:conflict",
        headers=headers,
    )
