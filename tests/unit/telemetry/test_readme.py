"""The README names every figure, in the words of the catalogue."""

from pathlib import Path

from ingestor.telemetry import catalogue

README = Path(__file__).parents[3] / "ingestor" / "telemetry" / "README.md"


def table() -> str:
    """The metrics as the README has them."""
    rows = [(f"ingestor_{name}_total", text) for name, text in catalogue.COUNTERS.items()]
    rows = [row for row in rows if row[0] != "ingestor_rejected_total"]
    rows.append(("ingestor_rejected_total{stage,reason}", catalogue.REJECTIONS))
    rows += [(f"ingestor_{name}", text) for name, text in catalogue.GAUGES.items()]
    rows += [
        ("ingestor_dependency_up{dependency}", catalogue.DEPENDENCY_UP),
        ("ingestor_lag_seconds (histogram)", catalogue.LAG),
        ("ingestor_write_seconds (histogram)", catalogue.WRITE_SECONDS),
    ]
    lines = [
        "| Metric | Meaning |",
        "|---|---|",
        *(f"| `{name}` | {text} |" for name, text in rows),
    ]
    return "\n".join(lines)


def test_every_figure_is_documented() -> None:
    """The table between the markers is the one that the catalogue gives."""
    text = README.read_text()

    assert f"<!-- metrics -->\n{table()}\n<!-- /metrics -->\n" in text
