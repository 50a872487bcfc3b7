"""Lines that overwrite one another are found, and no others."""

import pytest

from ingestor.core.collisions import collisions

MOMENT = 1_700_000_000_000_000_001


def lines(*texts: str) -> list[bytes]:
    """Lines at one moment."""
    return [f"{text} {MOMENT}".encode() for text in texts]


@pytest.mark.parametrize(
    ("count", "of"),
    [
        (0, []),
        (0, lines("m,t=1 f=1.0")),
        (0, lines("m,t=1 f=1.0", "m,t=2 f=2.0")),
        (0, lines("m,t=1 f=1.0", "m,t=1 f=1.0")),
        (0, lines("m,t=1 f=1.0", "m,t=1 g=2.0")),
        (0, lines("m,t=1 f=1.0,g=2.0", "m,t=1 g=2.0,h=3.0")),
        (1, lines("m,t=1 f=1.0", "m,t=1 f=2.0")),
        (1, lines("m,t=1 f=1.0", "m,t=1 f=2.0", "m,t=1 f=2.0")),
        (1, lines("m,t=1 f=1.0", "m,t=1 g=1.0", "m,t=1 g=2.0,h=1.0")),
        (2, lines("m,t=1 f=1.0", "m,t=2 f=1.0", "m,t=1 f=2.0", "m,t=2 f=2.0")),
        (0, lines(r"m,t=a\ b f=1.0", r"m,t=a\ c f=2.0")),
        (1, lines(r"m,t=a\ b f=1.0", r"m,t=a\ b f=2.0")),
        (0, lines(r'm s="a, \"f=1",f=1.0', r'm s="a, \"f=1",f=1.0,h=1.0')),
        (1, lines(r'm s="a, \"f=1",f=1.0', r'm s="a, \"f=2",f=1.0')),
        (1, lines('m s="one\ntwo"', 'm s="one\nthree"')),
        (0, [f"m f={n}.0 {MOMENT + n}".encode() for n in range(100)]),
        (0, [f"m f={n}.0 {MOMENT + n * 10**10}".encode() for n in range(3)]),
    ],
)
def test_collisions(count: int, of: list[bytes]) -> None:
    """Same series, time and field, and another value."""
    assert collisions(of) == count
    assert collisions(of[::-1]) == count
