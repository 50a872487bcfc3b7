"""Which lines of a refused batch are to blame: writing again in parts."""

Range = tuple[int, int]
"""Indices of lines, half open: from the first, up to but without the second."""


class Bisection:
    """The search for the guilty among `size` lines, driven by what became of each write.

    Ask `next_range`, write those lines, report `stored` or `refused`, until there is no range
    left. By then every line was in a stored range or is in `guilty`. With g guilty lines it takes
    about g * log2(size / g) + 2 * g writes, at most 2 * g + 3 more than that, and never more than
    2 * size. The order depends on the reports alone: lines are settled from the first to the last.

    What is left after each guilty line is not written at once but in groups, as many as guilty
    lines were found: were it refused again, the search would start from far away. Groups grow
    while they are stored. Within a refused group only the first halves are written, because when
    that is stored the other half must be to blame. It may not be (two lines that only together
    conflict): so no line is called guilty before it was refused alone.
    """

    def __init__(self, size: int) -> None:
        self.guilty: dict[int, str] = {}
        self._size = size
        self._next = 0
        self._suspects_end: int | None = None
        """Of the lines from `_next` to here at least one is guilty; None: nothing is known."""
        self._group = self._most = max(1, size)

    def __repr__(self) -> str:
        return f"<Bisection {self._next} of {self._size} settled, {len(self.guilty)} lines guilty>"

    def next_range(self) -> Range | None:
        """What to write next; the same until it is reported on. None when all is settled."""
        start = self._next
        if start == self._size:
            return None
        if self._suspects_end is not None:
            return start, start + max(1, (self._suspects_end - start) // 2)
        return start, min(start + self._group, self._size)

    def stored(self, span: Range) -> None:
        """All lines of the range that `next_range` gave are stored."""
        self._settle(span)
        if self._suspects_end == self._next:  # together they were refused, but not apart
            self._suspects_end = None
        if self._suspects_end is None:
            self._group = min(2 * self._group, self._most)

    def refused(self, span: Range, detail: str, *, too_large: bool = False) -> None:
        """The range was refused as a body: a part of it is next, or it is one guilty line.

        Being `too_large` is nobody's fault, and larger ranges are not tried any more.
        """
        start, stop = span
        if stop - start == 1:
            self._settle(span)
            self.guilty[start] = detail
            self._suspects_end = None
            rest = (self._size - self._next) // (len(self.guilty) + 1)
            self._group = max(1, min(rest, self._most))
            return
        self._expect(span)
        if too_large:
            self._suspects_end = None
            self._group = self._most = (stop - start) // 2
        else:
            self._suspects_end = stop

    def _settle(self, span: Range) -> None:
        self._expect(span)
        self._next = span[1]

    def _expect(self, span: Range) -> None:
        if self.next_range() != span:
            raise ValueError(f"{span} was not asked for")
