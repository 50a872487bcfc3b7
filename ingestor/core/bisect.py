"""Which lines of a refused batch are to blame: writing again by halves."""

Range = tuple[int, int]
"""Indices of lines, half open: from the first, up to but without the second."""


class Bisection:
    """The search for the guilty among `size` lines, driven by what became of each write.

    Ask `next_range`, write those lines, report `stored` or `refused`, until there is no range
    left. By then every line was in a stored range or is in `guilty`. With g guilty lines it
    takes at most 1 + 2 * g * ceil(log2(size)) writes, and never more than 2 * size - 1. The order
    depends on the reports alone: lines are settled from the first to the last.

    A half is always written, even when its refused whole and its stored sibling seem to prove it
    guilty: a body can be refused for its size, or for two lines that only together conflict.
    """

    def __init__(self, size: int) -> None:
        self.guilty: dict[int, str] = {}
        self._open: list[Range] = [(0, size)] if size else []

    def __repr__(self) -> str:
        return f"<Bisection {len(self._open)} ranges open, {len(self.guilty)} lines guilty>"

    def next_range(self) -> Range | None:
        """What to write next; the same until it is reported on. None when all is settled."""
        return self._open[-1] if self._open else None

    def stored(self, span: Range) -> None:
        """All lines of the range that `next_range` gave are stored."""
        self._take(span)

    def refused(self, span: Range, detail: str) -> None:
        """The range was refused as a body: two halves to write, or one guilty line."""
        start, stop = self._take(span)
        if stop - start == 1:
            self.guilty[start] = detail
            return
        middle = (start + stop) // 2
        self._open += [(middle, stop), (start, middle)]

    def _take(self, span: Range) -> Range:
        if self.next_range() != span:
            raise ValueError(f"{span} was not asked for")
        return self._open.pop()
