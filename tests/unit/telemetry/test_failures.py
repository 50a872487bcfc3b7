"""Failures in the log: where and what kind, but nothing that foreign exceptions say."""

import io
import json

import pytest

from ingestor.ports import Unavailable
from ingestor.telemetry.failures import format_failure
from ingestor.telemetry.logs import make_logger

PAYLOAD = "the payload"


def caught(*, own: bool = False) -> BaseException:
    """A failure within a failure, in a group."""
    try:
        try:
            return dict[str, BaseException]()[PAYLOAD]
        except KeyError as error:
            raise (Unavailable("it is down") if own else ValueError(PAYLOAD)) from error
    except (Unavailable, ValueError) as error:
        return ExceptionGroup(PAYLOAD, [error, OSError(PAYLOAD)])


def test_foreign_texts_stay_out() -> None:
    """Kinds and places are told, of causes and of a group's members too."""
    text = format_failure(caught())

    assert PAYLOAD not in text
    for kind in ("ExceptionGroup", "KeyError", "ValueError", "OSError"):
        assert f"builtins.{kind}" in text
    assert ", in caught" in text
    assert text.index("KeyError") < text.index("which led to:")


def test_our_own_texts_are_told() -> None:
    """They are made for people, and quote nothing."""
    assert "ingestor.ports.Unavailable: it is down" in format_failure(caught(own=True))


def test_exceptions_that_refer_to_each_other_end() -> None:
    """As each other's cause, and as members of a group."""
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first

    assert format_failure(ExceptionGroup("", [first, second])).count("builtins.ValueError") == 2


@pytest.mark.parametrize("style", ["json", "console"])
def test_the_logger_tells_failures_that_way(style: str) -> None:
    """Whatever it writes, and wherever the exception comes from."""
    out = io.StringIO()
    log = make_logger("debug", style, out)  # type: ignore[arg-type] # one of its styles

    log.error("failed", exc_info=caught())
    log.info("fine")

    assert PAYLOAD not in out.getvalue()
    assert "builtins.KeyError" in out.getvalue()
    if style == "json":
        assert json.loads(out.getvalue().splitlines()[1])["event"] == "fine"
