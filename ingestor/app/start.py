"""One process or several."""

import os
import socket

from ingestor.app.service import Place, serve
from ingestor.app.supervise import supervise, worker_count
from ingestor.config import Settings


def run(settings: Settings) -> int:
    """Run until a signal ends it; 0 after a clean stop, 1 otherwise, with the reason logged."""
    return supervise(settings) if worker_count(settings) > 1 else serve(settings)


def work(settings: Settings, *, number: int, of: int, listening: int) -> int:
    """Run as one of `of` workers, with its part of the window; see `supervise`.

    Args:
        settings: Those of all workers together.
        number: Which worker this is, from 0.
        of: How many there are.
        listening: The file descriptor of the socket that the ops server listens on.
    """
    task = settings.task_id or f"{socket.gethostname()}-{os.getppid()}"
    part = settings.model_copy(
        update={
            "window_messages": max(10, settings.window_messages // of),
            "window_bytes": settings.window_bytes // of,
            "task_id": f"{task}-{number}",
        }
    )
    return serve(part, Place(socket.socket(fileno=listening), lifeline=0))
