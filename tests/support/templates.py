"""CloudFormation templates as data: short forms such as `!Ref` become their long forms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent.parent.parent / "cfn"


class _Loader(yaml.SafeLoader):
    """YAML with CloudFormation's tags."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    value: Any
    if isinstance(node, yaml.ScalarNode):
        value = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    if suffix == "GetAtt" and isinstance(value, str):
        value = value.split(".", 1)
    return {suffix if suffix in {"Ref", "Condition"} else f"Fn::{suffix}": value}


_Loader.add_multi_constructor("!", _tagged)


@dataclass(slots=True, frozen=True)
class Template:
    """One template: its name without `.yaml`, its text, and what that says."""

    name: str
    text: str
    body: Mapping[str, Any]

    @classmethod
    def of(cls, name: str, text: str) -> "Template":
        """Read a text as a template."""
        return cls(name, text, yaml.load(text, _Loader))  # noqa: S506 - a SafeLoader with tags

    def resources(self, *types: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Logical id and properties of the resources of these types; of all without one."""
        for logical, resource in self.body["Resources"].items():
            if not types or resource["Type"] in types:
                yield f"{self.name}.{logical}", resource.get("Properties", {})

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Its parameters."""
        parameters: Mapping[str, Any] = self.body["Parameters"]
        return parameters

    def exports(self) -> set[str]:
        """What it exports, without the stack's name in front."""
        prefix = "${AWS::StackName}-"
        return {
            output["Export"]["Name"]["Fn::Sub"].removeprefix(prefix)
            for output in self.body.get("Outputs", {}).values()
            if "Export" in output
        }

    def imports(self) -> set[tuple[str, str]]:
        """What it imports: the parameter that names the parent, and the export's name."""
        return {
            tuple(node["Fn::ImportValue"]["Fn::Sub"].removeprefix("${").split("}-", 1))
            for node in nodes(self.body)
            if "Fn::ImportValue" in node
        }


Templates = dict[str, Template]


def read_templates() -> Templates:
    """All templates of the folder, by name."""
    return {
        path.stem: Template.of(path.stem, path.read_text())
        for path in sorted(FOLDER.glob("*.yaml"))
    }


def nodes(value: Any) -> Iterator[dict[str, Any]]:
    """Every mapping in a value, however deep."""
    if isinstance(value, dict):
        yield value
        for each in value.values():
            yield from nodes(each)
    elif isinstance(value, list):
        for each in value:
            yield from nodes(each)


def listed(value: Any) -> list[Any]:
    """A value that may be one or a list, as a list."""
    return value if isinstance(value, list) else [value]
