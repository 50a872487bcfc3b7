"""The generated parts of `cfn/README.md`: `python -m support.cfn_readme` writes them anew."""

import re
import sys

from support import costs, costs_by_rate
from support.templates import FOLDER, read_templates

from cfn.plan import TEMPLATES, make_plan

README = FOLDER / "README.md"
_ENVIRONMENT = "demo"
_IN_SHELL = {
    "IngestorImage": "$INGESTOR_IMAGE",
    "GrafanaImage": "$GRAFANA_IMAGE",
    "ChronografImage": "$CHRONOGRAF_IMAGE",
    "CloudFrontPrefixList": "$PREFIX_LIST",
}
_BLOCK = re.compile(r"(<!-- (?P<name>[\w-]+) -->\n).*?(\n<!-- /(?P=name) -->)", re.DOTALL)


def commands() -> dict[str, str]:
    """The command for each template, by its name."""
    plan = make_plan(
        _ENVIRONMENT,
        images={
            "ingestor": _IN_SHELL["IngestorImage"],
            "grafana-service": _IN_SHELL["GrafanaImage"],
            "chronograf-service": _IN_SHELL["ChronografImage"],
        },
        looked_up={"CloudFrontPrefixList": "$PREFIX_LIST"},
    )
    found = {}
    for deployment in plan:
        command = deployment.command()
        for parameter, variable in _IN_SHELL.items():
            command = command.replace(f"'{parameter}={variable}'", f'"{parameter}={variable}"')
        found[deployment.step.template] = f"```sh\n{command}\n```"
    return found


def graph() -> str:
    """Which stack imports from which, drawn by whoever shows the page."""
    lines = ["```mermaid", "graph LR"]
    for deployment in make_plan(_ENVIRONMENT):
        child = deployment.step.template
        parents = [deployment.parameters[name] for name in deployment.step.parents]
        lines += [f"  {parent.removeprefix(f'{_ENVIRONMENT}-')} --> {child}" for parent in parents]
    return "\n".join([*lines, "```"])


def parameters() -> str:
    """A table for each template, in the order of the plan."""
    templates = read_templates()
    parts = []
    for name in TEMPLATES:
        lines = [f"**`{name}.yaml`**", "", "| Parameter | Default | Meaning |", "|---|---|---|"]
        for parameter, body in templates[name].parameters.items():
            default = body.get("Default")
            shown = "**must be set**" if default is None else f"`{default}`" if default else "none"
            meaning = body["Description"]
            if values := body.get("AllowedValues"):
                meaning += f" One of {', '.join(f'`{value}`' for value in values)}."
            lines.append(f"| `{parameter}` | {shown} | {meaning} |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts)


def blocks() -> dict[str, str]:
    """Every generated part by the name of its markers."""
    return {
        **{f"command-{name}": command for name, command in commands().items()},
        "graph": graph(),
        "parameters": parameters(),
        "costs": costs.table(),
        "costs-by-rate": costs_by_rate.table(),
        "prices": costs.prices(),
    }


def written(text: str) -> str:
    """The page with its generated parts as they must be."""
    made = blocks()
    return _BLOCK.sub(lambda match: f"{match[1]}{made[match['name']]}{match[3]}", text)


if __name__ == "__main__":
    README.write_text(written(README.read_text()))
    sys.stdout.write(f"{README} is up to date\n")
