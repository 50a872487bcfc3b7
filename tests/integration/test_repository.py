"""What is committed works for strangers: no registry hosts or machine paths, whole locks."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parent.parent.parent

# In pieces, so that this file does not contain what it looks for.
REGISTRIES = [
    ("py" + "pi", "org"),
    ("python" + "hosted", "org"),
    ("npm" + "js", "org"),
    ("npm" + "js", "com"),
    ("proxy.go" + "lang", "org"),
    ("deb.debi" + "an", "org"),
    ("security.debi" + "an", "org"),
    ("crates", "io"),
]
HOSTS = re.compile("|".join(rf"{re.escape(name)}\.{suffix}\b" for name, suffix in REGISTRIES))
MACHINE = re.compile(r"(?<![\w./~$}-])/(?:wo[r]k|far[m]|roo[t]|home/\w+|opt/m[s])/")


def committed() -> list[Path]:
    """The files of the next commit that are text."""
    listing = subprocess.run(
        ["git", "ls-files", "-z"],  # noqa: S607 - whichever git made the clone
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    paths = [ROOT / name for name in listing.split("\0") if name]
    return [path for path in paths if path.is_file() and b"\0" not in path.read_bytes()[:8000]]


def places(pattern: re.Pattern[str]) -> list[str]:
    """Where committed text matches."""
    return [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()[:120]}"
        for path in committed()
        for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def locked(name: str) -> dict[str, list[str]]:
    """Pinned requirements (with their markers), and the hashes of each."""
    text = (ROOT / name).read_text().replace("\\\n", " ")
    lines = [line.split(" --hash=") for line in text.splitlines() if line[:1].isalnum()]
    return {line[0].strip(): [each.strip() for each in line[1:]] for line in lines}


LOCKS = sorted(path.name for path in ROOT.glob("requirements*.txt"))


def test_no_registry_is_named() -> None:
    """Packages are named, and whoever installs says from where."""
    assert places(HOSTS) == []


def test_no_path_of_one_machine() -> None:
    """Nothing depends on where somebody's checkout or home is."""
    assert places(MACHINE) == []


@pytest.mark.parametrize("name", LOCKS)
def test_everything_is_pinned_and_hashed(name: str) -> None:
    """Every requirement has one version and its hashes."""
    requirements = locked(name)

    assert requirements
    for requirement, hashes in requirements.items():
        assert re.match(r"[\w.-]+==[\w.!+]+( ; .+)?$", requirement)
        assert all(re.match("sha256:[0-9a-f]{64}$", each) for each in hashes)
        assert hashes


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-demo.txt"])
def test_larger_sets_hold_the_smaller(name: str) -> None:
    """Going from the demo to the tests adds packages, and replaces none."""
    assert locked(name).items() <= locked("requirements-dev.txt").items()


def test_locks_follow_the_project() -> None:
    """Whatever pyproject.toml asks for is locked: `make lock` was not forgotten."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    extras = project["project"]["optional-dependencies"]
    groups = project["dependency-groups"]
    asked = {
        "requirements.txt": project["project"]["dependencies"] + extras["console"],
        "requirements-build.txt": groups["build"],
        "requirements-demo.txt": extras["loadtest"] + groups["build"],
        "requirements-dev.txt": extras["loadtest"]
        + extras["lambda"]
        + extras["console"]
        + [each for each in groups["dev"] if isinstance(each, str)],
        "requirements-lambda.txt": extras["lambda"],
        "requirements-ministack.txt": groups["ministack"],
        "requirements-cfn.txt": groups["cfn"],
        "requirements-uv.txt": groups["uv"],
    }

    assert sorted(asked) == LOCKS
    for file, requirements in asked.items():
        versions = dict(each.partition(" ;")[0].split("==") for each in locked(file))
        for requirement in map(Requirement, requirements):
            assert versions[canonicalize_name(requirement.name)] in requirement.specifier
