"""How a run is shown while it goes on: a changing picture on a terminal, else a line at times."""

import asyncio
from collections.abc import Callable
from typing import NoReturn

from rich.console import Console, RenderableType
from rich.live import Live


async def show(
    console: Console,
    *,
    line: Callable[[], str],
    picture: Callable[[], RenderableType],
    line_seconds: float = 5.0,
    frame_seconds: float = 0.5,
) -> NoReturn:
    """Show the present moment again and again, until cancelled."""
    if not console.is_terminal:
        while True:
            console.print(line(), highlight=False, soft_wrap=True, markup=False)
            await asyncio.sleep(line_seconds)
    with Live(console=console, auto_refresh=False, transient=True) as live:
        while True:
            live.update(picture(), refresh=True)
            await asyncio.sleep(frame_seconds)
