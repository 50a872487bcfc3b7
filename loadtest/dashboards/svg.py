"""Elements of SVG."""

from dataclasses import dataclass
from xml.sax.saxutils import escape

PALE = "#5b6474"
COLORS = ("#3274d9", "#e0752d", "#299c46", "#a352cc", "#d44a3a", "#0a9396", "#b5830f", PALE)
LINE, CHARACTER = 17, 6.4
"""Pixels: a line of text, a character of it."""


@dataclass(slots=True, frozen=True)
class Box:
    """Where to draw, in pixels."""

    x: float
    y: float
    width: float
    height: float


def text(
    x: float,
    y: float,
    content: str,
    *,
    size: int = 12,
    weight: str = "normal",
    color: str = "#1f2430",
    anchor: str = "start",
) -> str:
    """A line of text."""
    return (
        f'<text x="{x:.0f}" y="{y:.0f}" font-size="{size}" font-weight="{weight}" fill="{color}" '
        f'text-anchor="{anchor}">{escape(content)}</text>'
    )


def rect(box: Box, color: str, opacity: float = 1.0) -> str:
    """A filled rectangle."""
    return (
        f'<rect x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" '
        f'height="{box.height:.1f}" fill="{color}" fill-opacity="{opacity:.2f}"/>'
    )


def cut(words: str, width: float) -> str:
    """Words that fit into so many pixels."""
    most = max(3, int(width / CHARACTER))
    return words if len(words) <= most else f"{words[: most - 1]}…"
