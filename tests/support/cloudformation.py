"""CloudFormation on an emulator, through the real AWS CLI."""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from botocore.session import Session

from loadtest.servers import MiniStack, Moto

ROOT = Path(__file__).parent.parent.parent
AWS = ROOT / ".venv-cfn" / "bin" / "aws"
IMAGES = {
    name: f"example/{name}:1" for name in ("ingestor", "grafana-service", "chronograf-service")
}

LACKING = {
    "network.NatGateways": "none",  # AWS::EC2::EIP, AWS::EC2::NatGateway
    "network.InterfaceEndpoints": "true",  # which network.yaml then asks for
    "network.FlowLogs": "false",  # AWS::EC2::FlowLog
    "cloudfront-alb.OriginAccess": "secret-header",  # AWS::CloudFront::VpcOrigin
    "cloudfront-alb.OriginDomainName": "origin.example.com",
    "cloudfront-alb.OriginCertificate": "arn:aws:acm:us-east-1:000000000000:certificate/made-up",
    "ingestor-service.Scaling": "none",  # AWS::ApplicationAutoScaling::*
}
"""What MiniStack does without, by documented parameters; the templates are as they are."""


class Emulator:
    """One emulated account, and the commands that work on it."""

    def __init__(self, server: MiniStack | Moto, folder: Path) -> None:
        self.folder = folder
        self._url, self._region = server.url, server.region
        self.environ = {
            **{name: text for name, text in os.environ.items() if not name.startswith("AWS_")},
            **server.environment(),
            "AWS_PAGER": "",
            "PATH": f"{AWS.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
        }

    def aws(self, *arguments: str) -> None:
        """One call of the AWS CLI."""
        done = subprocess.run(
            [AWS, *arguments],
            env=self.environ,
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"{shlex.join(arguments)}: {done.stderr}"

    def create(self, stack: str, template: str, parameters: Mapping[str, str]) -> None:
        """Make a stack from the template at a URI, without a change set."""
        given = [
            f"ParameterKey={name},ParameterValue={value}" for name, value in parameters.items()
        ]
        self.aws(
            "cloudformation", "create-stack", "--stack-name", stack, "--template-body", template,
            "--capabilities", "CAPABILITY_IAM", "--parameters", *given,
        )  # fmt: skip

    def client(self, service: str) -> Any:
        """A client to look at what was made: no process for each question."""
        return Session().create_client(
            service,
            endpoint_url=self._url,
            region_name=self._region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def stacks(self) -> dict[str, str]:
        """Every stack that there is, with its state."""
        pages = self.client("cloudformation").get_paginator("describe_stacks").paginate()
        stacks = [stack for page in pages for stack in page["Stacks"]]
        return {
            stack["StackName"]: stack["StackStatus"]
            for stack in stacks
            if stack["StackStatus"] != "DELETE_COMPLETE"
        }

    def outputs(self, stack: str) -> dict[str, str]:
        """What a stack gives to others."""
        answer = self.client("cloudformation").describe_stacks(StackName=stack)
        return {each["OutputKey"]: each["OutputValue"] for each in answer["Stacks"][0]["Outputs"]}

    def resources(self, stack: str) -> dict[str, str]:
        """Logical and physical ids of what a stack made."""
        answer = self.client("cloudformation").describe_stack_resources(StackName=stack)
        return {
            each["LogicalResourceId"]: each["PhysicalResourceId"]
            for each in answer["StackResources"]
            if "LogicalResourceId" in each  # moto lists what a condition left out without a name
        }

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """`python -m cfn …`, begun."""
        return self._begin([sys.executable, "-m", "cfn", *arguments], self.environ)

    def start_readme(self, environment: str) -> subprocess.Popen[str]:
        """The shell blocks of the README as they stand, begun, with the images named.

        A shim named `aws` adds what an emulator needs: its address, and LACKING.
        """
        shims = self.folder / "shims"
        shims.mkdir()
        cases = "".join(
            f"*' --stack-name {environment}-{template} '*) set -- \"$@\" {shlex.join(values)} ;;\n"
            for template, values in _by_template(LACKING).items()
        )
        shim = shims / "aws"
        shim.write_text(
            f'#!/bin/sh\ncase " $* " in\n*" deploy "*) case " $* " in\n{cases}esac ;;\nesac\n'
            f'exec "{AWS}" --endpoint-url "$AWS_ENDPOINT_URL" "$@"\n'
        )
        shim.chmod(0o755)
        environ = self.environ | {
            "PATH": f"{shims}{os.pathsep}{self.environ['PATH']}",
            "INGESTOR_IMAGE": IMAGES["ingestor"],
            "GRAFANA_IMAGE": IMAGES["grafana-service"],
            "CHRONOGRAF_IMAGE": IMAGES["chronograf-service"],
        }
        return self._begin(["sh", "-euxc", readme_script()], environ)

    def _begin(self, command: list[str], environ: Mapping[str, str]) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env=environ,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )


def finished(process: subprocess.Popen[str]) -> str:
    """What a command said; it must have succeeded."""
    words, _ = process.communicate()
    assert process.returncode == 0, words
    return words


def options() -> list[str]:
    """The options of `python -m cfn deploy` for MiniStack, with the images named."""
    arguments = []
    for name, value in LACKING.items():
        arguments += ["--set", f"{name}={value}"]
    for repository, image in IMAGES.items():
        arguments += ["--image", f"{repository}={image}"]
    return arguments


def readme_script() -> str:
    """Every block of `cfn/README.md` that is marked as shell, in order."""
    text = (ROOT / "cfn" / "README.md").read_text()
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", text, re.DOTALL | re.MULTILINE))


def _by_template(settings: Mapping[str, str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in settings.items():
        template, _, parameter = name.partition(".")
        found.setdefault(template, []).append(f"{parameter}={value}")
    return found
