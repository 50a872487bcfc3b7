"""Structured logs on standard output: JSON for machines, colours for a terminal."""

import logging
import sys
from typing import Literal, TextIO

import structlog

from ingestor.telemetry.failures import log_failure


def make_logger(
    level: str, style: Literal["auto", "json", "console"], stream: TextIO | None = None
) -> structlog.stdlib.BoundLogger:
    """A logger of our own that writes whole lines; `auto` means console on a terminal only."""
    out = stream or sys.stdout
    console = style == "console" or (style == "auto" and out.isatty())
    renderer: structlog.typing.Processor = (
        structlog.dev.ConsoleRenderer(colors=out.isatty())
        if console
        else structlog.processors.JSONRenderer()
    )
    logger: structlog.stdlib.BoundLogger = structlog.wrap_logger(
        structlog.PrintLogger(out),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            log_failure,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        cache_logger_on_first_use=True,
    )
    return logger
