"""Failures for the log: where they happened and of which kind, and no text that is not ours."""

from collections.abc import Iterator
from traceback import format_tb

from structlog.typing import EventDict, WrappedLogger


def format_failure(error: BaseException) -> str:
    """A traceback whose exceptions have their text only where they are our own.

    The text of a foreign exception can quote what it was given: a payload, or a secret.
    """
    return "\n".join(_lines(error, "", set()))


def log_failure(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """A processor of structlog: the exception of an event as `format_failure` has it."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["exception"] = format_failure(error)
    return event


def _lines(error: BaseException, indent: str, seen: set[int]) -> Iterator[str]:
    seen.add(id(error))
    before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if before is not None and id(before) not in seen:
        yield from _lines(before, indent, seen)
        yield f"{indent}which led to:"
    for frame in format_tb(error.__traceback__):
        yield from (f"{indent}{line}" for line in frame.splitlines())
    kind = type(error)
    ours = kind.__module__.partition(".")[0] == "ingestor"
    yield f"{indent}{kind.__module__}.{kind.__qualname__}{f': {error}' if ours else ''}"
    if isinstance(error, BaseExceptionGroup):
        for each in error.exceptions:
            if id(each) not in seen:
                yield from _lines(each, f"{indent}  ", seen)
