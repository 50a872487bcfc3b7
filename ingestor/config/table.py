"""The option table of `ingestor/README.md`, made from the fields."""

from pydantic.fields import FieldInfo

from ingestor.config.settings import Settings, variable
from ingestor.config.words import expectation


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
