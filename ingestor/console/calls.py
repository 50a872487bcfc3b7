"""From a request to checked arguments, and from a value to an answer."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import msgspec
from aiohttp import web

from ingestor.console import model
from ingestor.console.access import Identity
from ingestor.console.operations import CSV, JSON, MOST_CSV_BYTES, Operation, Parameter
from ingestor.console.problems import Refuse, unusable

MOST_BODY_BYTES = 512 * 1024
BODY_SECONDS = 10.0
_WHOLE = re.compile(r"-?[0-9]{1,18}")

Body = TypeVar("Body")


@dataclass(slots=True, frozen=True)
class Call:
    """One request that may be answered: its operation, who asks, and what is asked."""

    operation: Operation
    request: web.Request
    identity: Identity
    query: Mapping[str, Any]
    body: Any

    def text(self, name: str) -> str | None:
        """A parameter that is a text."""
        return cast("str | None", self.query.get(name))

    def needed(self, name: str) -> str:
        """A parameter that is a text and required."""
        return cast("str", self.query[name])

    def whole(self, name: str) -> int | None:
        """A parameter that is a whole number."""
        return cast("int | None", self.query.get(name))


Handler = Callable[[Call], Awaitable["web.StreamResponse | model.Answer"]]


async def read_call(request: web.Request, operation: Operation, identity: Identity) -> Call:
    """The request, checked; raises `Refuse`."""
    query = {
        each.name: value
        for each in operation.parameters
        if (value := _parameter(request, each)) is not None
    }
    body = await _body(request, operation)
    return Call(operation, request, identity, query, body)


def answer(value: model.Answer, *, status: int = 200, etag: str | None = None) -> web.Response:
    """A value as JSON."""
    headers = {} if etag is None else {"ETag": etag}
    body = msgspec.json.encode(value)
    return web.Response(body=body, status=status, content_type=JSON, headers=headers)


def _parameter(request: web.Request, parameter: Parameter) -> Any:
    texts = request.query.getall(parameter.name, [])
    schema = parameter.schema
    if schema["type"] == "array":
        if len(texts) > schema["maxItems"]:
            raise unusable(parameter.name, f"at most {schema['maxItems']} of them")
        return [_checked(parameter.name, each, schema["items"]) for each in texts]
    if not texts:
        if parameter.required:
            raise unusable(parameter.name, "it is needed")
        return schema.get("default")
    if len(texts) > 1:
        raise unusable(parameter.name, "it is there more than once")
    return _checked(parameter.name, texts[0], schema)


def _checked(name: str, text: str, schema: Mapping[str, Any]) -> Any:
    match schema["type"]:
        case "integer":
            if not _WHOLE.fullmatch(text):
                raise unusable(name, "it is no whole number")
            if not schema["minimum"] <= int(text) <= schema["maximum"]:
                raise unusable(name, f"from {schema['minimum']} to {schema['maximum']}")
            return int(text)
        case "boolean":
            if text not in {"true", "false"}:
                raise unusable(name, "true or false")
            return text == "true"
    if not schema.get("minLength", 0) <= len(text) <= schema.get("maxLength", len(text)):
        raise unusable(name, f"a text of 1 to {schema.get('maxLength')} characters")
    if "enum" in schema and text not in schema["enum"]:
        raise unusable(name, f"one of {', '.join(schema['enum'])}")
    if "pattern" in schema and not re.search(schema["pattern"], text):
        raise unusable(name, "attribute=value")
    return text


async def _body(request: web.Request, operation: Operation) -> Any:
    kind = operation.body
    if kind is None:
        return None
    expected = kind if isinstance(kind, str) else JSON
    if request.content_type != expected:
        raise Refuse(415, f"The body must be {expected}.")
    raw = await _read(request, MOST_CSV_BYTES if expected == CSV else MOST_BODY_BYTES)
    if isinstance(kind, str):
        try:
            return raw.decode()
        except UnicodeDecodeError as exc:
            raise unusable("body", "it is not UTF-8") from exc
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.ValidationError as exc:
        raise unusable("body", str(exc)) from exc
    except (msgspec.DecodeError, UnicodeError, RecursionError) as exc:
        raise Refuse(400, "The body is not JSON.") from exc


async def _read(request: web.Request, most: int) -> bytes:
    refusal = Refuse(413, f"The body may have {most} bytes.")
    if (request.content_length or 0) > most:
        raise refusal
    body = bytearray()
    try:
        async with asyncio.timeout(BODY_SECONDS):
            while chunk := await request.content.readany():
                body += chunk
                if len(body) > most:
                    raise refusal
    except TimeoutError as exc:
        raise Refuse(400, f"The body did not arrive within {BODY_SECONDS:g} s.") from exc
    return bytes(body)
