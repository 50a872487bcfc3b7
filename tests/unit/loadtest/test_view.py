"""What can be seen while a run goes on."""

from dataclasses import replace
from io import StringIO

from rich.console import Console

from loadtest.view import Progress, View

PROGRESS = Progress(
    doing="publishing",
    seconds=0.0,
    sent=10,
    stored=5,
    lag_p50_seconds=0.4,
    lag_p99_seconds=None,
    waiting=2,
    in_flight=3,
    connected=19,
    devices=20,
    page="http://127.0.0.1:1/",
)


def test_a_line_says_it_all() -> None:
    """Counts, rate of the last seconds, lag, backlog and devices are on the line."""
    moments = iter([PROGRESS, replace(PROGRESS, seconds=2.0, sent=50, stored=45)])
    view = View(Console(file=StringIO()), lambda: next(moments))
    view.line()

    assert view.line() == (
        "2 s publishing: sent 50, stored 45, 20.0/s, lag p50 400 ms p99 -, "
        "backlog 2 waiting 3 in flight, devices 19/20"
    )


def test_the_rate_forgets() -> None:
    """The rate is that of the last few seconds, not of the whole run."""
    moments = iter(
        replace(PROGRESS, seconds=float(second), stored=min(second, 10) * 20)
        for second in range(30)
    )
    view = View(Console(file=StringIO()), lambda: next(moments))
    lines = [view.line() for _ in range(30)]

    assert ", 20.0/s," in lines[9]
    assert ", 0.0/s," in lines[29]


def test_the_table_names_the_status_page() -> None:
    """On a terminal the address of the status page is always in sight."""
    console = Console(file=StringIO(), width=80)
    console.print(View(console, lambda: PROGRESS).table())
    assert isinstance(console.file, StringIO)
    text = console.file.getvalue()

    assert "http://127.0.0.1:1/" in text
    assert "19 of 20" in text
