"""The HTTP server for operators: is it alive, is it ready, what does it do."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from importlib.resources import files
from socket import socket
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from ingestor.ops.address import address
from ingestor.telemetry.failures import format_failure

_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; img-src 'self'; "
    "script-src 'self'; style-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'; require-trusted-types-for 'script'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "ingestor",  # instead of the versions of Python and aiohttp
    "X-Content-Type-Options": "nosniff",
}
_PAGE = {
    "/": ("index.html", "text/html"),
    "/status.css": ("status.css", "text/css"),
    "/status.js": ("status.js", "text/javascript"),
    "/chart.js": ("chart.js", "text/javascript"),
    "/icon.svg": ("icon.svg", "image/svg+xml"),
}
_PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_CLOSE_SECONDS = 1.0
"""What a request that is being answered gets when the server closes."""

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OpsSetupError(Exception):
    """The server cannot listen where it was told to."""


class OpsServer:
    """Answers while its context is open; opening raises `OpsSetupError`.

    The callables run on the event loop at each request and must not block: `metrics` gives the
    text format of Prometheus; `live` and `ready` the reasons why not, none when all is well;
    `status` what `/api/status` shows as JSON. When one raises, the answer is a bare 500 and the
    exception is logged. A socket in `listening` takes the place of host and port.
    """

    def __init__(
        self,
        *,
        host: str,
        port: int,
        metrics: Callable[[], bytes],
        live: Callable[[], list[str]],
        ready: Callable[[], list[str]],
        status: Callable[[], Mapping[str, Any]],
        listening: socket | None = None,
    ) -> None:
        self._listening = listening
        self._host = host
        self._port = port
        app = web.Application(middlewares=[_bare_failures])
        app.on_response_prepare.append(_add_headers)
        app.add_routes(
            [
                web.get("/live", _probe("live", live)),
                web.get("/ready", _probe("ready", ready)),
                web.get("/metrics", _metrics(metrics)),
                web.get("/api/status", _status(status)),
                *(web.get(path, _static(*what)) for path, what in _PAGE.items()),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_CLOSE_SECONDS)

    @property
    def url(self) -> str:
        """Where the status page is, without a slash at its end; valid while the server is open."""
        port: int = self._runner.addresses[0][1]
        return address(self._host, port)

    async def __aenter__(self) -> Self:
        await self._runner.setup()
        try:
            await self._site().start()
        except OSError as exc:
            await self._runner.cleanup()
            raise OpsSetupError(
                f"the ops server cannot listen on {self._host} port {self._port}: {exc.strerror}"
            ) from exc
        return self

    def _site(self) -> web.BaseSite:
        if self._listening is not None:
            return web.SockSite(self._runner, self._listening)
        return web.TCPSite(self._runner, self._host, self._port)

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self._runner.cleanup()


def _probe(name: str, reasons_of: Callable[[], list[str]]) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        if reasons := reasons_of():
            return _json({name: False, "reasons": reasons}, status=503)
        return _json({name: True})

    return handle


def _metrics(render: Callable[[], bytes]) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=render(), headers={"Content-Type": _PROMETHEUS_TEXT})

    return handle


def _status(collect: Callable[[], Mapping[str, Any]]) -> Handler:
    async def handle(_: web.Request) -> web.Response:
        return _json(collect())

    return handle


def _static(name: str, content_type: str) -> Handler:
    # Read once: nothing on the file system is served by its name.
    body = files("ingestor.ops").joinpath("static", name).read_bytes()

    async def handle(_: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type, charset="utf-8")

    return handle


def _json(content: Mapping[str, Any], *, status: int = 200) -> web.Response:
    # msgspec writes NaN and infinity as null, which every reader takes.
    body = msgspec.json.encode(content)
    return web.Response(body=body, status=status, content_type="application/json")


@web.middleware
async def _bare_failures(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException:
        raise
    except Exception as error:  # noqa: BLE001 - a defect in one answer is no reason to stop
        _log.error("the answer to %s could not be made\n%s", request.path, format_failure(error))
        return web.Response(text="internal error\n", status=500)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
