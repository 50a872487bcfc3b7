"""Figures as Grafana writes them, for the units that our panels use."""

_BYTES = (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024))


def shown(value: float, unit: str) -> str:
    """A value with its unit."""
    match unit:
        case "s":
            return f"{_short(value * 1000)} ms" if abs(value) < 1 else f"{_short(value)} s"
        case "percentunit":
            return f"{_short(value * 100)} %"
        case "currencyUSD":
            return f"${value:.3f}" if abs(value) < 1 else f"${value:.2f}"
        case "bytes":
            name, size = next(((n, s) for n, s in _BYTES if abs(value) >= s), ("B", 1))
            return f"{_short(value / size)} {name}"
        case _:
            return _short(value)


def _short(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 or value == int(value) else f"{value:.3g}"  # noqa: PLR2004 - three digits
