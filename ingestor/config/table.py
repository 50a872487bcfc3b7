"""The option table of `ingestor/README.md`, made from the fields."""

from pydantic.fields import FieldInfo

from ingestor.config.settings import Settings, variable
from ingestor.config.words import expectation

_BEGIN, _END = "<!-- options -->\n", "<!-- /options -->"


def with_table(text: str) -> str:
    """`text` with the present table between its markers; ValueError when they are not there."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not begin or not end:
        raise ValueError(f"there is no {_BEGIN.strip()} followed by {_END}")
    return f"{before}{begin}{markdown_table()}{end}{after}"


def markdown_table() -> str:
    """All variables with default, values and meaning, as a Markdown table."""
    rows = ["| Variable | Default | Value | Meaning |", "|---|---|---|---|"]
    for name, info in Settings.model_fields.items():
        cells = (f"`{variable(name)}`", _default(name, info), expectation(info), info.description)
        rows.append(f"| {' | '.join(map(str, cells))} |")
    return "\n".join(rows) + "\n"


def _default(name: str, info: FieldInfo) -> str:
    if info.is_required():
        return "**must be set**"
    if name == "mapping":
        return "the built-in mapping"
    if info.default is None:
        return "not set"
    return f"`{info.default:g}`" if isinstance(info.default, float) else f"`{info.default}`"
