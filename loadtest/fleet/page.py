"""One HTML page with everything a run came to: opens offline, needs no script and no server."""

from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

from loadtest.fleet.plots import PLOTS, draw

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #1f2430; margin: 2rem auto; max-width: 60rem;
       padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin-top: 2rem; }
table { border-collapse: collapse; } th, td { padding: .15rem 1rem .15rem 0; text-align: left;
       vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; }
svg { width: 100%; height: auto; margin: .6rem 0; display: block; }
.good { color: #1c7a34; } .bad { color: #b3261e; }
"""
_PAGE = """<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; \
style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<h1>{title}: <span class="{verdict_class}">{verdict}</span></h1>
{body}
</body>
</html>
"""


def make_page(report: Mapping[str, Any]) -> str:
    """The page of a report as `FleetReport.as_dict` gives it."""
    options = report["options"]
    verdict = report["verdict"]
    good = report["good"]
    words = ("good", "not good") if verdict is None else ("exact", "not exact")
    body = [f"<p>{escape(_sentence(report))}</p>"]
    if verdict is not None:
        body += ["<h2>Readings</h2>", _table(verdict["fates"])]
        if verdict["letters"]:
            body += ["<h2>Dead letters by reason</h2>", _table(verdict["letters"])]
        if verdict["examples"]:
            body.append("<h2>What is wrong, the first of each kind</h2><ul>")
            body += [f"<li>{escape(example)}</li>" for example in verdict["examples"]]
            body.append("</ul>")
    body += ["<h2>Over time</h2>"]
    marks = [(at, word) for at, word in report["marks"]]
    body += [draw(plot, report["series"], marks) for plot in PLOTS]
    body += ["<h2>Schedule</h2>", _table(_flat(report["schedule"]))]
    body += ["<h2>Asked for</h2>", _table(_flat(options))]
    body += ["<h2>Machine</h2>", _table(_flat(report["machine"]))]
    return _PAGE.format(
        title=f"{options['devices']:,} devices, {options['seconds']:g} s by {options['way']}",
        style=_STYLE,
        verdict=words[0] if good else words[1],
        verdict_class="good" if good else "bad",
        body="\n".join(body),
    )


def _sentence(report: Mapping[str, Any]) -> str:
    limit = report["limit"]
    text = f"Limit: {limit['name']}. {limit['meaning']}"
    if lag := report["lag_ms"]:
        text += f" Readable after {lag['p50']} ms (p50), {lag['p99']} ms (p99)."
    return text


def _flat(values: Mapping[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat |= {f"{name} {inner}": each for inner, each in value.items()}
        elif isinstance(value, list):
            flat[name] = ", ".join(_word(each) for each in value) or "none"
        else:
            flat[name] = value
    return flat


def _word(value: Any) -> str:
    if not isinstance(value, Mapping):
        return str(value)
    name, *rest = value.items()
    inner = ", ".join(f"{key} {each}" for key, each in rest)
    return f"{name[1]} ({inner})" if inner else str(name[1])


def _table(rows: Mapping[str, Any]) -> str:
    return f"<table>{''.join(_rows(rows.items()))}</table>"


def _rows(rows: Iterable[tuple[str, Any]]) -> Iterable[str]:
    for name, value in rows:
        shown = f"{value:,}" if isinstance(value, int | float) else str(value)
        kind = ' class="number"' if isinstance(value, int | float) else ""
        yield f"<tr><th>{escape(name)}</th><td{kind}>{escape(shown)}</td></tr>"
