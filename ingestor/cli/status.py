"""`ingestor status`."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Annotated, NoReturn

import msgspec
import typer

from ingestor.cli.answer import Answer
from ingestor.cli.ask import NoAnswer, NotAnAddress, ask
from ingestor.cli.output import Exit, aligned, console, write_json, write_mistakes
from ingestor.cli.world import World, world_of
from ingestor.ops.address import address

AsJson = Annotated[bool, typer.Option("--json", help="Write the answer as one JSON document.")]
Url = Annotated[
    str | None,
    typer.Option(
        help="Where its ops server is. Default: this machine, at the INGESTOR_OPS_HOST and "
        "INGESTOR_OPS_PORT of this environment.",
        show_default=False,
    ),
]


def status(context: typer.Context, *, url: Url = None, as_json: AsJson = False) -> None:
    """Ask a running ingestor what it does.

    Exit status: 0 it is ready; 1 it cannot be reached or is not ready; 2 wrong usage. Fit for the
    health check of a container.
    """
    where = url or _from_environment(world_of(context))
    try:
        body = ask(where, "/api/status")
        answer = msgspec.json.decode(body, type=Answer)
    except NotAnAddress as error:
        raise typer.BadParameter(str(error), param_hint="--url") from None
    except NoAnswer as error:
        _fail(str(error), as_json=as_json)
    except msgspec.DecodeError as error:
        _fail(f"{where} does not answer like this version: {error}", as_json=as_json)
    if as_json:
        write_json(msgspec.Raw(body))
    else:
        _report(answer)
    raise typer.Exit(Exit.FINE if answer.ready else Exit.WORLD_WRONG)


def _from_environment(world: World) -> str:
    from ingestor.config import ConfigError, ops_place  # noqa: PLC0415 - see ingestor.cli.world

    try:
        host, port = ops_place(world.environ)
    except ConfigError as error:
        write_mistakes(error.mistakes)
        raise typer.Exit(Exit.USAGE_WRONG) from None
    if port == 0:
        raise typer.BadParameter(
            "needed: INGESTOR_OPS_PORT is 0, any free port", param_hint="--url"
        )
    return address(host, port)


def _fail(reason: str, *, as_json: bool) -> NoReturn:
    if as_json:
        write_json({"error": reason})
    else:
        console(stderr=True).print(reason)
    raise typer.Exit(Exit.WORLD_WRONG)


def _report(answer: Answer) -> None:
    out = console()
    ready = "ready" if answer.ready else f"not ready: {'; '.join(answer.not_ready)}"
    out.print(f"{answer.state}, {ready}", style="green" if answer.ready else "bold red")
    names, values = zip(*_rows(answer), strict=True)
    for name, value in zip(aligned(names), values, strict=True):
        out.print(f"{name}  {value}")


def _rows(answer: Answer) -> Iterator[tuple[str, str]]:
    yield "version", f"{answer.version}, up {timedelta(seconds=int(answer.uptime_seconds))}"
    rates = answer.rates
    yield "rate", f"{rates.received_per_s:,.1f}/s received, {rates.stored_per_s:,.1f}/s stored"
    yield "lag", f"p50 {_milliseconds(answer.lag_ms.p50)}, p99 {_milliseconds(answer.lag_ms.p99)}"
    if depth := answer.queue:
        yield "queue", f"{depth.visible:,} waiting, {depth.in_flight:,} in flight"
    for name, buffer in answer.buffers.items():
        limit = "" if buffer.limit is None else f" of {buffer.limit:,.0f}"
        yield _words(name), f"{buffer.used:,.0f}{limit}"
    for name, count in answer.cache.items():
        yield f"cache {_words(name)}", f"{count:,}"
    for name, count in answer.totals.items():
        yield f"{_words(name)} in all", f"{count:,}"
    for each in answer.rejections:
        yield f"rejected: {each.stage}, {each.reason}", f"{each.count:,}"
    for name, dependency in answer.dependencies.items():
        yield name, "up" if dependency.up else f"down: {dependency.reason}"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _milliseconds(value: float | None) -> str:
    return "-" if value is None else f"{value:,.0f} ms"
