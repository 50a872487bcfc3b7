"""`loadtest fleet` and `loadtest compare`: what the command line says, checked."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, TypeVar

import typer

from loadtest.devices.builtin import BUILT_IN, find_kinds
from loadtest.fleet.options import Options, WayIn
from loadtest.fleet.parsing import parse_duration, parse_number, parse_profile, parse_rate
from loadtest.fleet.profiles import PROFILES
from loadtest.fleet.ways.mqtt import MOST_CONNECTIONS
from loadtest.ledger.book import Book, BookError

_Parsed = TypeVar("_Parsed")
_MOST_RECORDS = 1_000
_MOST_DEVICES = 1_000_000

Devices = Annotated[int, typer.Option(min=1, max=_MOST_DEVICES, help="How many devices.")]
Rate = Annotated[str, typer.Option(help="Messages of each device, such as 1/s, 6/m, 20/h.")]
Duration = Annotated[str, typer.Option(help="How long to send: 90s, 10m, 2h.")]
Profiles = Annotated[
    list[str],
    typer.Option(
        "--profile",
        help="May be given several times: name, name=share or name:option=value,… with "
        + "; ".join(f"{name}: {made.about}" for name, made in PROFILES.items()),
    ),
]
Poison = Annotated[str, typer.Option(help="Short for --profile poison=…: a share such as 0.5%.")]
Kinds = Annotated[
    list[str],
    typer.Option(
        "--kind",
        help=f"May be given several times: {', '.join(BUILT_IN)}, or a TOML file with others.",
    ),
]
Way = Annotated[
    WayIn,
    typer.Option(
        help="MQTT over WebSocket to MiniStack, plain MQTT to our stand-in for AWS IoT Core, MQTT "
        "over TLS with a client certificate to MiniStack or to AWS IoT Core (aws), straight into "
        "the queue, or into the bench's canned queue, which nobody reads."
    ),
]
Endpoint = Annotated[
    str,
    typer.Option(
        help="Where AWS IoT Core answers, as host or host:port; asked for when not given. "
        "With --way aws only."
    ),
]
Seed = Annotated[int, typer.Option(help="Which devices with which values, and who is affected.")]
Records = Annotated[
    int, typer.Option(min=0, help="Metadata records; 0: one a device, at most a thousand.")
]
Connections = Annotated[
    int, typer.Option(min=1, help="MQTT connections at most; more devices share them.")
]
Resume = Annotated[
    bool,
    typer.Option(
        "--resume",
        help="Go on with a run that was cut off, from the ledger beside --report; all other "
        "options are those that it has.",
    ),
]
Report = Annotated[
    Path, typer.Option(help="Where to write the result; ledger and page go beside it.")
]
DEFAULT_CONNECTIONS = MOST_CONNECTIONS


def make_options(  # noqa: PLR0913 - a parameter for each option of the command line
    *,
    devices: int,
    rate: str,
    duration: str,
    profiles: list[str],
    poison: str,
    kinds: list[str],
    way: WayIn,
    seed: int,
    records: int,
    connections: int,
    endpoint: str,
    report: Path,
) -> Options:
    """The options of a run; wrong usage of the command line where something is wrong."""
    parsed = [_checked(parse_profile, text, "--profile") for text in profiles]
    if poison:
        share = _checked(lambda text: parse_number(text, "poison"), poison, "--poison")
        parsed.append(_checked(parse_profile, f"poison={share}", "--poison"))
    _checked(find_kinds, kinds, "--kind")
    if endpoint and way is not WayIn.AWS:
        raise typer.BadParameter("it is for --way aws", param_hint="--endpoint")
    return Options(
        devices=devices,
        rate=_checked(parse_rate, rate, "--rate"),
        seconds=_checked(parse_duration, duration, "--duration"),
        profiles=parsed,
        kinds=kinds,
        way=way,
        seed=seed,
        records=records or min(devices, _MOST_RECORDS),
        connections=connections,
        report=report,
        endpoint=endpoint,
    )


def resumed_options(report: Path) -> Options:
    """The options of the run whose ledger lies beside this report; wrong usage without one."""
    ledger = report.with_suffix(".sqlite")
    if not ledger.exists():
        raise typer.BadParameter(f"there is no ledger {ledger}", param_hint="--resume")
    try:
        with Book(ledger) as book:
            return Options.from_dict(json.loads(book.asked("options") or "{}"), report)
    except (BookError, KeyError, TypeError, ValueError) as exc:
        what = f"{ledger} is no ledger of a fleet: {exc}"
        raise typer.BadParameter(what, param_hint="--resume") from exc


_Given = TypeVar("_Given")


def _checked(parse: Callable[[_Given], _Parsed], given: _Given, option: str) -> _Parsed:
    try:
        return parse(given)
    except (ValueError, TypeError) as exc:
        raise typer.BadParameter(str(exc), param_hint=option) from exc
