"""Calls that are made ready now and begin when somebody awaits them."""

from collections.abc import Callable, Coroutine, Generator
from typing import Any, Generic, TypeVar

import msgspec

Result = TypeVar("Result")


class Later(msgspec.Struct, Generic[Result], eq=False, gc=False):
    """An awaitable of the coroutine that `begin` makes of `arguments`; to drop it is no mistake.

    Out of the garbage collector's sight: it must not be part of what it begins.
    """

    begin: Callable[..., Coroutine[Any, Any, Result]]
    arguments: tuple[Any, ...] = ()

    def __await__(self) -> Generator[Any, Any, Result]:
        return self.begin(*self.arguments).__await__()
