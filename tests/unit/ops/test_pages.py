"""A built page, and what an ops server has besides."""

from collections.abc import Mapping
from pathlib import Path

import aiohttp
import pytest

from ingestor.ops.pages import Page, built_page
from ingestor.ops.server import Extras, OpsServer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A page as it is built."""
    (tmp_path / "assets").mkdir()
    for name, text in {
        "index.html": "<p>",
        "app-1A2b3C4d.js": "x",
        "assets/app-1A2b3C4d.css": "y",
        "icon.svg": "<svg/>",
        "secret.key": "no",
    }.items():
        (tmp_path / name).write_text(text)
    return tmp_path


def server(pages: Mapping[str, Page] | None = None, **extras: object) -> OpsServer:
    """A server with these pages."""
    return OpsServer(
        host="127.0.0.1",
        port=0,
        metrics=lambda: b"",
        live=list,
        ready=list,
        status=dict,
        extras=Extras(pages=pages, **extras),  # type: ignore[arg-type] # the test's own
    )


async def test_a_built_page(folder: Path) -> None:
    """Known types by their paths; what has a hash is kept for ever, the rest is asked for again."""
    pages = built_page(folder)
    assert pages is not None
    assert set(pages) == {
        "/",
        "/index.html",
        "/app-1A2b3C4d.js",
        "/assets/app-1A2b3C4d.css",
        "/icon.svg",
    }
    async with server(pages) as ops, aiohttp.ClientSession(ops.url) as client:
        async with client.get("/") as reply:
            assert await reply.text() == "<p>"
            assert reply.headers["Cache-Control"] == "no-cache"
            etag = reply.headers["ETag"]
        async with client.get("/", headers={"If-None-Match": etag}) as reply:
            assert reply.status == 304
        async with client.get("/assets/app-1A2b3C4d.css") as reply:
            assert reply.headers["Cache-Control"] == "public, max-age=31536000, immutable"
            assert reply.content_type == "text/css"
        for path in ("/secret.key", "/../secret.key", "/status.js", "/forget"):
            async with client.get(path) as reply:
                assert reply.status == 404


def test_without_an_index_there_is_no_page(tmp_path: Path) -> None:
    """Then the status page stays."""
    assert built_page(tmp_path) is None
    assert built_page(tmp_path / "missing") is None


async def test_a_supervisor_lets_keys_be_forgotten() -> None:
    """A list of keys as JSON, and nothing else: a page of another origin cannot send that."""
    dropped: list[str] = []

    def forget(keys: list[str]) -> int:
        dropped.extend(keys)
        return len(keys)

    async with server(forget=forget) as ops, aiohttp.ClientSession(ops.url) as client:
        async with client.post("/forget", json=["a", "b"]) as reply:
            assert await reply.json() == {"dropped": 2}
        async with client.post("/forget", data='["c"]') as reply:
            assert reply.status == 415
        async with client.post("/forget", json={"a": 1}) as reply:
            assert reply.status == 400
    assert dropped == ["a", "b"]
