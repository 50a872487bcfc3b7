"""What can be seen while a long run goes on: a live table on a terminal, else a line at times."""

import asyncio
from collections.abc import Callable, Sequence

from rich.console import Console
from rich.live import Live
from rich.table import Table

_FRAME_SECONDS = 0.5
_LINE_SECONDS = 5.0

Rows = Sequence[tuple[str, str]]


class ChaosView:
    """Shows the rows that `rows` gives, until `run` is cancelled."""

    def __init__(self, console: Console, rows: Callable[[], Rows], *, title: str = "chaos") -> None:
        self._title = title
        self._console = console
        self._rows = rows

    async def run(self) -> None:
        """Show the present state again and again."""
        if not self._console.is_terminal:
            while True:
                text = ", ".join(f"{name} {value}" for name, value in self._rows())
                self._console.print(text, highlight=False, soft_wrap=True, markup=False)
                await asyncio.sleep(_LINE_SECONDS)
        with Live(console=self._console, auto_refresh=False, transient=True) as live:
            while True:
                live.update(self._table(), refresh=True)
                await asyncio.sleep(_FRAME_SECONDS)

    def _table(self) -> Table:
        table = Table(title=self._title, show_header=False)
        table.add_column()
        table.add_column(justify="right", min_width=30)
        for row in self._rows():
            table.add_row(*row)
        return table
