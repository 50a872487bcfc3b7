"""Who may reach and do what: each check yields its findings, as sentences."""

import json
import re
from collections.abc import Iterator
from typing import Any

from botocore.session import Session
from support.templates import FOLDER, Template, Templates, listed, nodes

_ANYONE = ["0.0.0.0/0", "::/0"]

_WILDCARD_LINE = re.compile(
    r"""^\s*(?:-|Action:|Resource:)\s+'?(?:\*|[\w-]+:\*)'?\s*(#\s*\S.*)?$"""
)


def statements(template: Template) -> Iterator[tuple[str, dict[str, Any]]]:
    """Every statement of every policy, with the resource that holds it."""
    for logical, properties in template.resources():
        for node in nodes(properties):
            for statement in listed(node.get("Statement", [])):
                yield logical, statement


def wildcards_have_reasons(templates: Templates) -> Iterator[str]:
    """No wildcard action or resource without a reason on its line; no principal but in a denial."""
    for template in templates.values():
        explained = unexplained = 0
        for line in template.text.splitlines():
            if match := _WILDCARD_LINE.match(line):
                explained += match[1] is not None
                unexplained += match[1] is None
        count = 0
        for logical, statement in statements(template):
            wide = [
                each
                for key in ("Action", "Resource")
                for each in listed(statement.get(key, []))
                if isinstance(each, str) and (each == "*" or each.endswith(":*"))
            ]
            count += len(wide)
            if statement["Effect"] == "Allow" and "*" in json.dumps(statement.get("Principal", "")):
                yield f"{logical} allows something to anyone"
        if unexplained or count > explained:
            yield f"{template.name}: {count} wildcards, {explained} reasons"


def only_cloudfront_is_open(templates: Templates) -> Iterator[str]:
    """Nobody comes in from anywhere; the load balancer takes CloudFront's addresses alone."""
    for template in templates.values():
        for logical, group in template.resources("AWS::EC2::SecurityGroup"):
            for rule in nodes(group.get("SecurityGroupIngress", [])):
                if rule.get("CidrIp") in _ANYONE or rule.get("CidrIpv6") in _ANYONE:
                    yield f"{logical} is open to anyone"
            if not group.get("SecurityGroupEgress"):
                yield f"{logical} lets everything out"
        for logical, rule in template.resources("AWS::ElasticLoadBalancingV2::ListenerRule"):
            if "X-Origin-Secret" not in json.dumps(rule["Conditions"]):
                yield f"{logical} does not ask for the secret header"
    way_in = dict(templates["cloudfront-alb"].resources("AWS::EC2::SecurityGroup"))
    for rule in way_in["cloudfront-alb.LoadBalancerSecurityGroup"]["SecurityGroupIngress"]:
        if "SourcePrefixListId" not in rule:
            yield "the load balancer is open to more than CloudFront"


def nothing_has_a_public_address(templates: Templates) -> Iterator[str]:
    """Tasks, databases and buckets are private."""
    for template in templates.values():
        for node in nodes(template.body["Resources"]):
            if node.get("AssignPublicIp", "DISABLED") != "DISABLED":
                yield f"{template.name}: a task has a public address"
            if node.get("PubliclyAccessible") or node.get("MapPublicIpOnLaunch"):
                yield f"{template.name}: something has a public address"
        for logical, bucket in template.resources("AWS::S3::Bucket"):
            blocked = bucket.get("PublicAccessBlockConfiguration", {})
            if len(blocked) != 4 or not all(blocked.values()):
                yield f"{logical} does not block public access"


_SECRET = re.compile(r"password|token|secret", re.IGNORECASE)


def no_secret_is_written_down(templates: Templates) -> Iterator[str]:
    """Passwords and tokens are generated or referred to, never in a template."""
    for template in templates.values():
        for name, parameter in template.parameters.items():
            if _SECRET.search(name) and parameter.get("Default"):
                yield f"{template.name}: {name} has a default"
        for node in nodes(template.body["Resources"]):
            label, value = node.get("Name"), node.get("Value")
            if isinstance(label, str) and isinstance(value, str) and _SECRET.search(label):
                yield f"{template.name}: {label} is written down"
            for key, held in {**node, **node.get("Variables", {})}.items():
                secret = key in {"Password", "MasterUserPassword", "SecretString", "HeaderValue"}
                secret = secret or (key.isupper() and _SECRET.search(key) is not None)
                refers = key.endswith("_SECRET") and not isinstance(held, str)  # names the secret
                if secret and not refers and "{{resolve:secretsmanager:" not in json.dumps(held):
                    yield f"{template.name}: {key} is written down"
        for logical, function in template.resources("AWS::Lambda::Function"):
            # A resolved variable stands in clear in the settings of the function.
            if "{{resolve:" in json.dumps(function.get("Environment", {})):
                yield f"{logical} shows a secret to whoever may read its settings"


def permissions_are_what_is_called(templates: Templates) -> Iterator[str]:
    """The rights to consume and to look up are exactly the calls that the adapters make."""
    adapters = FOLDER.parent / "ingestor" / "adapters"
    looking_up = [adapters / "dynamodb" / name for name in ("lookup.py", "setup.py")]
    for service, template, policy, files in (
        ("sqs", "queue", "ConsumePolicy", sorted((adapters / "sqs").glob("*.py"))),
        ("dynamodb", "metadata", "ReadPolicy", looking_up),
    ):
        operations = set(Session().get_service_model(service).operation_names)
        called = {
            f"{service}:{word if service == 'dynamodb' else word.removesuffix('Batch')}"
            for path in files
            for word in re.findall(r'"([A-Z]\w+)"', path.read_text())
            if word in operations
        }
        granted = _granted(templates[template], policy)
        for_people = _granted(templates[template], "RedrivePolicy")
        if unused := granted - called:
            yield f"{policy} grants what nobody calls: {sorted(unused)}"
        if missing := called - granted - for_people:
            yield f"{policy} lacks {sorted(missing)}"


def _granted(template: Template, policy: str) -> set[str]:
    resource = template.body["Resources"].get(policy)
    if resource is None:
        return set()
    return {
        action
        for statement in resource["Properties"]["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
    }
