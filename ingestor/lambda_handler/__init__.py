"""The lightweight fallback: the same core as a Lambda function.

`handler` is the entry point: for an SQS event source mapping (with ReportBatchItemFailures) and
for an IoT rule that invokes it directly.
"""

import os
from functools import cache
from typing import Any

from ingestor.lambda_handler.function import Function, Invocation

__all__ = ["handler"]


@cache
def _function() -> Function:
    # Made once per process: connections and cache outlive an invocation. Not at import, so that a
    # wrong configuration is an error of an invocation, which is logged and counted.
    return Function(os.environ)


def handler(event: Any, context: Invocation) -> dict[str, Any]:
    """Called by Lambda for each event."""
    return _function()(event, context)
