"""What can be seen while a long run goes on: a live table on a terminal, else a line at times."""

from collections.abc import Callable, Sequence

from rich.console import Console
from rich.table import Table

from loadtest.live import show

Rows = Sequence[tuple[str, str]]


class ChaosView:
    """Shows the rows that `rows` gives, until `run` is cancelled."""

    def __init__(self, console: Console, rows: Callable[[], Rows], *, title: str = "chaos") -> None:
        self._title = title
        self._console = console
        self._rows = rows

    async def run(self) -> None:
        """Show the present state again and again."""
        await show(self._console, line=self._line, picture=self._table)

    def _line(self) -> str:
        return ", ".join(f"{name} {value}" for name, value in self._rows())

    def _table(self) -> Table:
        table = Table(title=self._title, show_header=False)
        table.add_column()
        table.add_column(justify="right", min_width=30)
        for row in self._rows():
            table.add_row(*row)
        return table
