"""What a mapping makes of a payload: the way that the service takes, with nothing stored."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from ingestor.console import model
from ingestor.console.calls import Call
from ingestor.core.encode import Encoder
from ingestor.core.hints import HINTS
from ingestor.core.locate import locate
from ingestor.core.mapping import MappingError, Route, parse_mapping
from ingestor.core.message import Reason, Rejected
from ingestor.core.metadata import Metadata
from ingestor.core.records import read_record
from ingestor.core.sample import Outcome, Sample, keys_of, try_out
from ingestor.ports import MetadataStore

TRY_SECONDS = 10.0
MOST_LINES = 200


class Trying:
    """Answers about the mapping in force, and tries others."""

    def __init__(self, mapping: str, version: str, store: MetadataStore) -> None:
        self._text = mapping
        self._version = version
        self._routes = parse_mapping(mapping).routes
        self._encoder = Encoder(parse_mapping(mapping), prefix_cache_size=100)
        self._store = store
        self._slot = asyncio.Semaphore(1)

    async def in_force(self, _: Call) -> model.MappingInfo:
        """The mapping of this task, which all tasks share by configuration."""
        routes = [_route(n, each) for n, each in enumerate(self._routes)]
        return model.MappingInfo(text=self._text, version=self._version, routes=routes)

    async def attempt(self, call: Call) -> model.Outcome:
        """A payload with this mapping or another one."""
        body: model.Try = call.body
        encoder = self._encoder
        if body.mapping is not None:
            try:
                encoder = await self._apart(_compiled, body.mapping)
            except MappingError as error:
                return _wrong(error)
        sample = Sample(
            "", body.payload.encode(errors="replace"), body.topic, body.topic is not None
        )
        given = body.records
        records = (
            None if given is None else {key: read_record(record) for key, record in given.items()}
        )
        return await self._outcome(encoder, sample, records, time.time_ns() // 10**6)

    async def now(self, payload: str, sent_at_ms: int) -> model.Outcome:
        """What the mapping in force makes of a message of the queue."""
        sample = Sample("", payload.encode(errors="replace"), None, is_payload=False)
        return await self._outcome(self._encoder, sample, None, sent_at_ms)

    async def _outcome(
        self,
        encoder: Encoder,
        sample: Sample,
        records: Mapping[str, Metadata] | None,
        sent_at_ms: int,
    ) -> model.Outcome:
        if records is None:
            keys = await self._apart(keys_of, encoder, sample, sent_at_ms)
            found = await self._store.fetch(keys) if keys else {}
            records = {key: record for key, record in found.items() if record is not None}
        outcome = await self._apart(try_out, encoder, sample, records, sent_at_ms)
        return _answer(outcome, sample.content.decode())

    async def _apart(self, work: Any, *arguments: Any) -> Any:
        """Work that may take long goes to a thread, one at a time: the pipeline has the loop."""
        async with asyncio.timeout(TRY_SECONDS), self._slot:
            return await asyncio.to_thread(work, *arguments)


def refusal_of(rejection: Rejected) -> model.Refusal:
    """Why there are no lines."""
    return model.Refusal(
        stage=str(rejection.stage),
        reason=str(rejection.reason),
        detail=rejection.detail,
        hint=HINTS[rejection.reason],
    )


def mark_of(text: str, detail: str) -> model.Mark | None:
    """The place that a detail speaks of, counted as JavaScript counts."""
    place = locate(text, detail)
    if place is None:
        return None
    start = _units(text[: place.start])
    return model.Mark(
        start=start, end=start + _units(text[place.start : place.end]), path=place.path
    )


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", errors="surrogatepass")) // 2


def _compiled(text: str) -> Encoder:
    return Encoder(parse_mapping(text), prefix_cache_size=100)


def _answer(outcome: Outcome, text: str) -> model.Outcome:
    rejection = outcome.rejection
    refusal = None if rejection is None else refusal_of(rejection)
    if outcome.held_back is not None:
        refusal = model.Refusal(
            stage="enrich",
            reason=str(Reason.NO_METADATA),
            detail=outcome.held_back,
            hint=HINTS[Reason.NO_METADATA],
        )
    parts = [[model.Part(**each._asdict()) for each in parts] for parts in outcome.parts]
    return model.Outcome(
        ok=outcome.ok,
        route=outcome.route,
        lines=outcome.lines[:MOST_LINES],
        parts=parts[:MOST_LINES],
        refusal=refusal,
        held_back=outcome.held_back,
        mark=mark_of(text, rejection.detail) if rejection else None,
        mistakes=[],
    )


def _wrong(error: MappingError) -> model.Outcome:
    mistakes = [
        model.MappingMistake(line=each.line, key=each.key, problem=each.problem, remedy=each.remedy)
        for each in error.details
    ]
    return model.Outcome(
        ok=False,
        route=None,
        lines=[],
        parts=[],
        refusal=None,
        held_back=None,
        mark=None,
        mistakes=mistakes,
    )


def _route(number: int, route: Route) -> model.RouteInfo:
    metadata = route.metadata
    return model.RouteInfo(
        name=route.name or f"routes[{number}]",
        topics=list(route.topics or ()),
        where={path: [str(each) for each in values] for path, values in route.where.items()},
        measurement=_source(route.measurement),
        tags={name: _source(tag) for name, tag in route.tags.items()},
        fields={
            **{name: f"{_source(rule)} ({rule.type})" for name, rule in route.fields.items()},
            **{f"wildcard {n}": repr(each) for n, each in enumerate(route.wildcards)},
        },
        metadata=None if metadata is None else _source(metadata.key),
        missing=None if metadata is None else str(metadata.missing),
        time=", ".join(_source(each) for each in route.time.paths) or "when it entered the queue",
    )


def _source(source: Any) -> str:
    """Where a value comes from, in a few words."""
    for name in ("path", "template", "constant"):
        value = getattr(source, name, None)
        if value is not None:
            return str(value) if name == "path" else f"{name} {value}"
    return str(source)
