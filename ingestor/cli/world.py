"""What the commands need of the world, handed in so that tests can hand in something else."""

import os
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol, cast

import typer

# Each of these takes longer to import than `ingestor version` and `--help` take altogether, so
# they are imported by the commands that need them.
if TYPE_CHECKING:
    from ingestor.config import Settings


class Examined(Protocol):
    """What was found out about one dependency: a name, whether it will do, and a sentence."""

    @property
    def name(self) -> str:
        """What was looked at, for a person."""
        ...

    @property
    def ok(self) -> bool:
        """False when the service could not work with it."""
        ...

    @property
    def detail(self) -> str:
        """What was found; the remedy too when it will not do. No secrets."""
        ...


@dataclass(slots=True, frozen=True)
class World:
    """The environment variables, the service, and the look at what the service depends on."""

    environ: Mapping[str, str]
    run: "Callable[[Settings], int]"
    examine: "Callable[[Settings], Coroutine[Any, Any, Sequence[Examined]]]"


def real_world() -> World:
    """This process's environment and the real service."""
    return World(environ=os.environ, run=_run, examine=_examine)


def world_of(context: typer.Context) -> World:
    """The world that the command was started with."""
    return cast("World", context.obj)


def _run(settings: "Settings") -> int:
    from ingestor.app import run  # noqa: PLC0415 - see above

    return run(settings)


async def _examine(settings: "Settings") -> Sequence[Examined]:
    from ingestor.app import examine  # noqa: PLC0415 - see above

    return await examine(settings)
