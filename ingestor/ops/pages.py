"""Pages and their files, served from memory: nothing on the file system is found by a request."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from aiohttp import web

_TYPES = {
    ".css": "text/css",
    ".html": "text/html",
    ".js": "text/javascript",
    ".json": "application/json",
    ".map": "application/json",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
_STATUS = ("status.css", "status.js", "chart.js", "icon.svg")
_WITH_HASH = re.compile(r"[-.][A-Za-z0-9_]{8,}\.\w+$")
_FOR_EVER = "public, max-age=31536000, immutable"
_MOST_FILES = 200


@dataclass(slots=True, frozen=True)
class Page:
    """One file. `cache` is its Cache-Control."""

    body: bytes
    content_type: str
    cache: str = "no-store"

    async def serve(self, request: web.Request) -> web.Response:
        """The file, or 304 when the browser has it."""
        etag = f'"{hashlib.sha256(self.body).hexdigest()[:32]}"'
        headers = {"ETag": etag, "Cache-Control": self.cache}
        if etag in request.headers.get("If-None-Match", ""):
            return web.Response(status=304, headers=headers)
        charset = "utf-8" if self.content_type.startswith("text/") else None
        return web.Response(
            body=self.body, content_type=self.content_type, charset=charset, headers=headers
        )


def status_page() -> Mapping[str, Page]:
    """The page that is always there, by paths."""
    folder = files("ingestor.ops").joinpath("static")
    pages = {
        f"/{name}": Page(folder.joinpath(name).read_bytes(), _TYPES[Path(name).suffix])
        for name in _STATUS
    }
    return {"/": Page(folder.joinpath("index.html").read_bytes(), "text/html"), **pages}


def built_page(folder: Path) -> Mapping[str, Page] | None:
    """The files of a built page by paths; None where there is no index.html.

    A file with a hash of its content in its name never changes; all others are asked for again.
    """
    if not (folder / "index.html").is_file():
        return None
    pages = {}
    for file in sorted(each for each in folder.rglob("*") if each.is_file())[:_MOST_FILES]:
        name = file.relative_to(folder).as_posix()
        if kind := _TYPES.get(file.suffix):
            cache = _FOR_EVER if _WITH_HASH.search(name) else "no-cache"
            pages[f"/{name}"] = Page(file.read_bytes(), kind, cache)
    return {"/": pages["/index.html"], **pages}
