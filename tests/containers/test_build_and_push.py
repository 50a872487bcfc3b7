"""`docker/build-and-push`, with a docker and an aws that write down what they are asked."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ADDRESS = "123456789012.dkr.ecr.eu-west-1.amazonaws.com/demo/ingestor"
DIGEST = "sha256:" + "5" * 64

DOCKER = f"""#!/bin/sh
echo "docker $*" >> "$CALLS"
case "$*" in
*"imagetools inspect"*) echo {DIGEST} ;;
login*) cat >> "$CALLS" ;;
esac
"""
AWS = f"""#!/bin/sh
echo "aws $*" >> "$CALLS"
case "$*" in
*describe-repositories*) echo {ADDRESS} ;;
*describe-images*) test -n "$THERE" ;;
*get-login-password*) echo password ;;
esac
"""


class Checkout:
    """A committed copy of what the script reads, beside stand-ins for docker and aws."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "checkout"
        shutil.copytree(ROOT / "docker", self.folder / "docker")
        tools = folder / "bin"
        tools.mkdir()
        for name, text in (("docker", DOCKER), ("aws", AWS)):
            (tools / name).write_text(text)
            (tools / name).chmod(0o755)
        self._calls = folder / "calls"
        self._environ = {"PATH": f"{tools}:{os.environ['PATH']}", "CALLS": str(self._calls)}
        self.git("init", "--quiet")
        self.git("add", ".")
        who = ("-c", "user.name=nobody", "-c", "user.email=nobody@example.com")
        self.git(*who, "commit", "--quiet", "--message", "All of it")
        self.revision = self.git("rev-parse", "HEAD").strip()

    def git(self, *arguments: str) -> str:
        """Output of a git command in the checkout."""
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        return subprocess.run(
            [self.folder / "docker" / "build-and-push", *arguments],
            env=self._environ | variables,
            capture_output=True,
            text=True,
            check=False,
        )

    @property
    def calls(self) -> list[str]:
        """What docker and aws were asked."""
        return self._calls.read_text().splitlines() if self._calls.exists() else []


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A fresh one."""
    return Checkout(tmp_path)


def test_it_pushes_one_image_for_both_processors(checkout: Checkout) -> None:
    """By revision, with its contents listed, on a base that is pinned by its digest."""
    done = checkout.run("ingestor", ADDRESS)

    image = f"{ADDRESS}:{checkout.revision[:12]}"
    assert (done.returncode, done.stdout) == (0, f"{image}\n"), done.stderr
    (build,) = [call for call in checkout.calls if "buildx build" in call]
    assert "--platform linux/amd64,linux/arm64" in build
    assert "--sbom=true" in build
    assert f"--build-arg PYTHON=docker.io/library/python:3.13-slim@{DIGEST}" in build
    assert f"--build-arg REVISION={checkout.revision}" in build
    assert f"--tag {image} --push ." in build


def test_the_password_is_on_no_command_line(checkout: Checkout) -> None:
    """It goes from one command to the other by a pipe."""
    checkout.run("ingestor", ADDRESS)

    registry = ADDRESS.split("/", maxsplit=1)[0]
    assert f"docker login --username AWS --password-stdin {registry}" in checkout.calls
    # The two commands run side by side: where among the calls it was read differs.
    assert [call for call in checkout.calls if "password" in call.split()] == ["password"]


@pytest.mark.parametrize("name", ["grafana-service", "chronograf-service"])
def test_versions_come_from_the_files(name: str, checkout: Checkout) -> None:
    """The version of the Dockerfile, and the digest that it has today."""
    done = checkout.run(name, ADDRESS)

    (build,) = [call for call in checkout.calls if "buildx build" in call]
    what = name.removesuffix("-service")
    assert done.returncode == 0, done.stderr
    assert f"--file docker/{what}.Dockerfile" in build
    assert f"--build-arg {what.upper()}=docker.io/" in build
    assert f"@{DIGEST}" in build


def test_influxdb_is_copied(checkout: Checkout) -> None:
    """Its own image, for all processors, under our revision."""
    done = checkout.run("influxdb", ADDRESS)

    assert done.returncode == 0, done.stderr
    image = f"{ADDRESS}:{checkout.revision[:12]}"
    source = f"docker.io/library/influxdb:2.7@{DIGEST}"
    assert checkout.calls[-1] == f"docker buildx imagetools create --tag {image} {source}"


def test_without_an_address_aws_is_asked(checkout: Checkout) -> None:
    """As in the walk-through: the name of the image is enough."""
    done = checkout.run("ingestor", ENVIRONMENT="prod")

    assert done.stdout.startswith(ADDRESS)
    assert "--repository-names prod/ingestor" in checkout.calls[0]


def test_what_is_there_is_not_built_again(checkout: Checkout) -> None:
    """Tags never move."""
    done = checkout.run("ingestor", ADDRESS, THERE="yes")

    assert done.stdout == f"{ADDRESS}:{checkout.revision[:12]}\n"
    assert not [call for call in checkout.calls if call.startswith("docker")]


def test_changes_that_are_not_committed_are_refused(checkout: Checkout) -> None:
    """An image is made of a revision; not a single command is run."""
    (checkout.folder / "docker" / "Dockerfile").write_text("FROM scratch\n")

    done = checkout.run("ingestor", ADDRESS)

    assert (done.returncode, done.stdout) == (1, "")
    assert "not committed" in done.stderr
    assert checkout.calls == []


@pytest.mark.parametrize("arguments", [(), ("nonsense",), ("ingestor", "a", "b")])
def test_wrong_usage_is_told(arguments: tuple[str, ...], checkout: Checkout) -> None:
    """Nothing is asked of anybody."""
    assert checkout.run(*arguments).returncode == 1
    assert checkout.calls == []
