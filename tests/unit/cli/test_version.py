"""`ingestor version`, and the command line as a whole."""

import json
import platform
import subprocess
import sys
from importlib.metadata import version

import pytest
from typer.testing import CliRunner

from ingestor.cli import app


def test_the_version_is_that_of_the_installed_package() -> None:
    """With what a bug report needs besides."""
    result = CliRunner().invoke(app, ["version"])

    assert result.exit_code == 0
    assert result.stdout.startswith(f"ingestor {version('ingestor')} (Python ")


def test_scripts_get_the_version_as_json() -> None:
    """One document."""
    result = CliRunner().invoke(app, ["version", "--json"])

    assert json.loads(result.stdout) == {
        "version": version("ingestor"),
        "python": platform.python_version(),
        "platform": f"{platform.system()} {platform.machine()}",
    }


@pytest.mark.parametrize("command", ["run", "check", "status", "version"])
def test_every_command_explains_itself(command: str) -> None:
    """Exit statuses are documented where people look for them."""
    assert CliRunner().invoke(app, [command, "--help"]).exit_code == 0
    assert "Exit status" in CliRunner().invoke(app, ["--help"]).stdout


def test_an_unknown_command_is_wrong_usage() -> None:
    """Exit status 2, as for every slip on the command line."""
    assert CliRunner().invoke(app, ["rnu"]).exit_code == 2


def test_the_package_can_be_run_and_starts_without_the_service() -> None:
    """A version is asked for often; AWS's client alone would take longer than all the rest."""
    code = (
        "import runpy, sys\n"
        "sys.argv = ['ingestor', 'version']\n"
        "try: runpy.run_module('ingestor', run_name='__main__')\n"
        "finally: print({'aioboto3', 'aiohttp', 'influxdb_client'} & set(sys.modules))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )

    first, second = result.stdout.splitlines()
    assert first.startswith("ingestor ")
    assert second == "set()"
