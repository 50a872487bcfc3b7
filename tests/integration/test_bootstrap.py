"""A checkout is set up once, completely, whatever interrupts it, and never twice."""

import contextlib
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from support.checkout import ROOT, Checkout

from loadtest.bootstrap import SetupError, influxd_beside

SERVICE = {"ingestor", "service", "uv"}


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    """A checkout that was never set up."""
    return Checkout(tmp_path)


def test_once(checkout: Checkout) -> None:
    """Of two set-ups at the same time one works; later ones add what is missing, if anything."""
    both = [
        subprocess.Popen(checkout.command("demo"), cwd=checkout.root, env=checkout.environ)
        for _ in "ab"
    ]
    assert [process.wait() for process in both] == [0, 0]
    assert checkout.installed() == SERVICE
    assert checkout.installed(".venv-ministack") == {"ministack"}
    installs = ["requirements-demo.txt", ".", "requirements-ministack.txt"]
    assert checkout.log == installs

    assert checkout.set_up("dev").returncode == 0
    assert checkout.installed() == SERVICE | {"tests"}
    assert checkout.installed(".venv-cfn") == {"cfn"}
    installs += ["requirements-dev.txt", "requirements-cfn.txt"]
    assert checkout.log == installs

    for target in ("demo", "dev"):
        done = checkout.set_up(target)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert checkout.log == installs


def test_changes(checkout: Checkout) -> None:
    """A changed lock or another place make the environment anew, a changed project does not."""
    checkout.set_up("dev")
    assert checkout.installed() == SERVICE | {"tests"}

    checkout.require("requirements-dev.txt", "service", comment="without the tests")
    assert checkout.set_up("dev").returncode == 0
    assert checkout.installed() == SERVICE

    with (checkout.root / "pyproject.toml").open("a") as project:
        project.write("# changed\n")
    calls = len(checkout.log)
    assert checkout.set_up("dev").returncode == 0
    assert checkout.log[calls:] == ["."]

    checkout.root = checkout.root.rename(checkout.root.with_name("moved"))
    assert checkout.set_up("demo").returncode == 0
    script = (checkout.root / ".venv" / "bin" / "pip").read_text()
    assert str(checkout.root / ".venv" / "bin") in script


def test_interrupted(checkout: Checkout) -> None:
    """After Ctrl-C in the middle no process is left, and the next run mends the rest."""
    going, alive = checkout.root / "going", checkout.root / "alive"
    os.mkfifo(going)
    os.mkfifo(alive)
    # The fake uv says that it goes, then sleeps; `alive` has a writer for as long as it lives.
    script = f'exec 9> "{alive}"; echo > "{going}"; exec sleep 600'
    # A suite that runs in the background may have inherited that Ctrl-C is ignored.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        setup = subprocess.Popen(
            checkout.command("demo"),
            cwd=checkout.root,
            env=checkout.environ | {"UV_DOES": script},
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
    finally:
        signal.signal(signal.SIGINT, before)
    try:
        with alive.open("rb") as lives:
            going.read_text()
            os.killpg(setup.pid, signal.SIGINT)
            assert lives.read() == b""
        _, words = setup.communicate()
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(setup.pid, signal.SIGKILL)

    assert setup.returncode == 130
    assert "the next run mends it" in words
    assert checkout.set_up("demo").returncode == 0
    assert checkout.installed() == SERVICE


def test_failures(checkout: Checkout) -> None:
    """Where uv fails pip is tried, a package that is not the locked one fails, both with words."""
    file = checkout.root / "requirements-demo.txt"
    right = file.read_text()
    file.write_text(re.sub("sha256:.*", "sha256:" + "0" * 64, right))
    uv_fails = {"UV_DOES": "echo no such platform >&2; exit 2"}

    done = checkout.set_up("demo", **uv_fails)
    assert done.returncode == 1
    assert "no such platform" in done.stderr
    assert "trying again with pip" in done.stderr
    assert "requirements-demo.txt` failed" in done.stderr
    assert "THESE PACKAGES DO NOT MATCH THE HASHES" in done.stderr

    file.write_text(right)
    assert checkout.set_up("demo", **uv_fails).returncode == 0
    assert checkout.installed() == SERVICE
    assert checkout.installed(".venv-ministack") == {"ministack"}


def test_no_console(checkout: Checkout) -> None:
    """The demo goes on without the console and says why; tests do not."""
    done = checkout.set_up("demo", CONSOLE_SAYS="npm: no such host")
    assert (done.returncode, "npm: no such host" in done.stderr) == (0, True)
    assert checkout.installed(".venv-ministack") == {"ministack"}

    done = checkout.set_up("dev", CONSOLE_SAYS="npm: no such host")
    assert (done.returncode, "npm: no such host" in done.stderr) == (1, True)
    assert checkout.set_up("dev").returncode == 0


def test_with_an_index_of_its_own(checkout: Checkout) -> None:
    """A pip that is told of an index is used itself, since uv would not know of it."""
    done = checkout.set_up("demo", PIP_INDEX_URL="http://127.0.0.1:9/simple")

    assert done.returncode == 0
    assert checkout.log == []
    assert checkout.installed() == SERVICE - {"uv"}


def test_no_influxd() -> None:
    """Without an InfluxDB the set-up fails."""
    environ = os.environ | {"INGESTOR_TEST_INFLUXD": "/nowhere/influxd"}

    with pytest.raises(SetupError, match="no InfluxDB"), influxd_beside(ROOT, environ):
        pass


def test_python_without_venv(checkout: Checkout) -> None:
    """A Python without ensurepip, as Debian splits it, is told of with the package that helps."""
    hidden = "import sys; sys.modules['ensurepip'] = None; "
    program = f"{hidden}from loadtest.bootstrap import main; sys.exit(main(['demo']))"

    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=checkout.root,
        env=checkout.environ,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert "apt-get install python3-venv" in done.stderr
    assert not (checkout.root / ".venv").exists()
