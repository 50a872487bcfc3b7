"""The HTTP server for operators: is it alive, is it ready, what does it do."""

import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from socket import socket
from types import TracebackType
from typing import Any, Self

import msgspec
from aiohttp import web

from ingestor.ops.address import address
from ingestor.ops.pages import Page, status_page
from ingestor.telemetry.failures import format_failure

_POLICY = (
    "default-src 'none'; connect-src {connect}; img-src 'self'; script-src 'self'; "
    "style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'"
)
_HEADERS = {
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "Server": "ingestor",  # instead of the versions of Python and aiohttp
    "X-Content-Type-Options": "nosniff",
}
_PROMETHEUS_TEXT = "text/plain; version=0.0.4; charset=utf-8"
_LONGEST_ADDRESS = 64 * 1024
"""Bytes: names of devices, and what is searched for, may be long texts in any script."""
_CLOSE_SECONDS = 1.0
"""What a request that is being answered gets when the server closes."""

_log = logging.getLogger(__name__)

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class OpsSetupError(Exception):
    """The server cannot listen where it was told to."""


@dataclass(slots=True, frozen=True)
class Extras:
    """What some ops servers have besides.

    A socket in `listening` takes the place of host and port. `console` answers below `/api/v1`;
    `pages` are served by their paths, instead of the status page. With `signed_in` the figures are
    for this machine alone: others come through the console, whose page may also ask the origin
    `sign_in`. `forget` takes keys from a supervisor: the caches are here.
    """

    listening: socket | None = None
    console: web.Application | None = None
    pages: Mapping[str, Page] | None = None
    signed_in: bool = False
    sign_in: str | None = None
    forget: Callable[[list[str]], int] | None = None


class OpsServer:
    """Answers while its context is open; opening raises `OpsSetupError`.

    The callables run on the event loop at each request and must not block: `metrics` gives the
    text format of Prometheus; `live` and `ready` the reasons why not, none when all is well;
    `status` what `/api/status` shows as JSON. When one raises, the answer is a bare 500 and the
    exception is logged.
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
        extras: Extras | None = None,
    ) -> None:
        extras = extras or Extras()
        self._listening = extras.listening
        self._host = host
        self._port = port
        app = web.Application(middlewares=[_bare_failures])
        connect = "'self'" if extras.sign_in is None else f"'self' {extras.sign_in}"
        app.on_response_prepare.append(_adding_headers(_POLICY.format(connect=connect)))
        pages = extras.pages or status_page()
        figures = _for_this_machine if extras.signed_in else _for_all
        app.add_routes(
            [
                web.get("/live", _probe("live", live)),
                web.get("/ready", _probe("ready", ready)),
                web.get("/metrics", figures(_metrics(metrics))),
                web.get("/api/status", figures(_status(status))),
                *(web.get(path, page.serve) for path, page in pages.items()),
            ]
        )
        if extras.forget is not None:
            app.add_routes([web.post("/forget", _forget(extras.forget))])
        if extras.console is not None:
            app.add_subapp("/api/v1", extras.console)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            shutdown_timeout=_CLOSE_SECONDS,
            max_line_size=_LONGEST_ADDRESS,
        )

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


def _forget(drop: Callable[[list[str]], int]) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        # A page of another origin cannot send this type unasked.
        if request.content_type != "application/json":
            return web.Response(text="JSON only\n", status=415)
        try:
            keys = msgspec.json.decode(await request.read(), type=list[str])
        except ValueError:
            return web.Response(text="a list of keys is needed\n", status=400)
        return _json({"dropped": drop(keys)})

    return handle


def _for_all(handler: Handler) -> Handler:
    return handler


def _for_this_machine(handler: Handler) -> Handler:
    async def handle(request: web.Request) -> web.StreamResponse:
        # A load balancer asks from elsewhere, and says for whom.
        is_near = request.remote is not None and ip_address(request.remote).is_loopback
        if not is_near or "X-Forwarded-For" in request.headers:
            return web.Response(text="only from this machine; sign in to the console\n", status=401)
        return await handler(request)

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


def _adding_headers(policy: str) -> Callable[[web.Request, web.StreamResponse], Awaitable[None]]:
    async def add(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.update(_HEADERS)
        response.headers["Content-Security-Policy"] = policy
        response.headers.setdefault("Cache-Control", "no-store")

    return add
