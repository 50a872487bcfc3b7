"""The OpenAPI document of `/api/v1`, made from the operations and the types of `model`.

`python -m ingestor.console.openapi` renews `openapi.json`; a test compares them.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from ingestor.console import model
from ingestor.console.operations import JSON, MOST_CSV_BYTES, OPERATIONS, Operation, Schema

FILE = Path(__file__).with_name("openapi.json")

_PROBLEMS = {
    400: "The request cannot be read.",
    401: "Nobody is signed in, or the token cannot be used.",
    403: "The role does not allow it, or the page of another origin asks.",
    404: "There is no such thing.",
    409: "What was selected is not what is there now.",
    412: "Somebody else has changed it.",
    413: "The body is too large.",
    415: "The body has another type.",
    421: "The server is not called by this name.",
    422: "The content cannot be used; `errors` say where.",
    428: "If-Match or If-None-Match is needed.",
    429: "Asked too often; Retry-After says when again.",
    503: "A dependency does not answer, or the server is busy.",
}
_ALWAYS = (400, 401, 403, 421, 429, 503)


def document() -> Schema:
    """The whole document."""
    types: list[Any] = [model.Problem]
    for each in OPERATIONS:
        types += [kind for kind in (each.answer, each.body) if not isinstance(kind, str | None)]
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    names = dict(zip(types, schemas, strict=True))
    paths: dict[str, Schema] = {}
    for each in OPERATIONS:
        paths.setdefault(each.path, {})[each.method] = _operation(each, names)
    return {
        "openapi": "3.1.0",
        "info": {"title": "ingestor console", "version": "1", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/api/v1"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {
                str(status): {
                    "description": text,
                    "content": {"application/problem+json": {"schema": names[model.Problem]}},
                }
                for status, text in _PROBLEMS.items()
            },
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "bearerFormat": "JWT",
                    "description": "An access token of the console's user pool. Locally: none.",
                }
            },
        },
    }


def _operation(operation: Operation, names: dict[Any, Schema]) -> Schema:
    made: Schema = {
        "operationId": operation.name,
        "summary": operation.summary,
        "description": f"Needs the permission `{operation.permission}`.",
        "parameters": list(_parameters(operation)),
        "responses": dict(_responses(operation, names)),
    }
    if operation.body is not None:
        content = (
            {operation.body: {"schema": {"type": "string", "maxLength": MOST_CSV_BYTES}}}
            if isinstance(operation.body, str)
            else {JSON: {"schema": names[operation.body]}}
        )
        made["requestBody"] = {"required": True, "content": content}
    return made


def _parameters(operation: Operation) -> Iterator[Schema]:
    for each in operation.parameters:
        yield {
            "name": each.name,
            "in": "query",
            "required": each.required,
            "description": each.description,
            "schema": each.schema,
        }
    if operation.conditional:
        for name in ("If-Match", "If-None-Match"):
            yield {"name": name, "in": "header", "required": False, "schema": {"type": "string"}}


def _responses(operation: Operation, names: dict[Any, Schema]) -> Iterator[tuple[str, Schema]]:
    kind, schema = (
        (operation.answer, {"type": "string"})
        if isinstance(operation.answer, str)
        else (JSON, names[operation.answer])
    )
    for status in operation.status:
        answer: Schema = {"description": "As it was." if status == 304 else "Done."}  # noqa: PLR2004 - a status
        if status != 304:  # noqa: PLR2004 - a status
            answer["content"] = {kind: {"schema": schema}}
        if operation.headers:
            answer["headers"] = {
                name: {"description": text, "schema": {"type": "string"}}
                for name, text in operation.headers.items()
            }
        yield str(status), answer
    for status in sorted({*_ALWAYS, *operation.problems}):
        yield str(status), {"$ref": f"#/components/responses/{status}"}


def text() -> str:
    """The document as the file holds it."""
    return msgspec.json.format(msgspec.json.encode(document()), indent=2).decode() + "\n"


if __name__ == "__main__":
    FILE.write_text(text())
