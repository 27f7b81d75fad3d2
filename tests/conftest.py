"""What tests share: no engine is left behind, scripts run in fresh interpreters, and an outside domain is installed."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tgsci import set_backward_engine
from tgsci.cli.main import main

from .processes import child_environment

TESTS = Path(__file__).parent


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory) -> None:
    """No test reads or writes the user's cache of docking results; worker processes and command lines inherit this."""
    os.environ["TGSCI_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def outside_packages(tmp_path_factory) -> Path:
    """A directory with the installed package `tgsci_polynomial`; put it on the path."""
    source = tmp_path_factory.mktemp("source")
    target = tmp_path_factory.mktemp("packages")
    for path in (TESTS / "outside").rglob("*"):
        if path.suffix in (".py", ".toml"):
            copy = source / path.relative_to(TESTS / "outside")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--no-build-isolation", "--target"]
    subprocess.run([*command, str(target), str(source)], check=True, capture_output=True, text=True)
    return target


@pytest.fixture
def tgsci(outside_packages, tmp_path, monkeypatch):
    """Run the command line in an empty directory: `tgsci("runs", "list") -> CompletedProcess`.

    In this process, which is ten times faster, or with `process=True` in one of its own; `packages` is a directory of
    further installed packages, any other keyword a variable of the environment.
    """
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(outside_packages)
    monkeypatch.delenv("TGSCI_ENGINE", raising=False)

    def in_this_process(arguments, environment, packages):
        out, err = io.StringIO(), io.StringIO()
        before = signal.getsignal(signal.SIGTERM)
        with monkeypatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            for name, value in environment.items():
                patch.setenv(name, value)
            for path in packages:
                patch.syspath_prepend(path)
            try:
                code = main(arguments)
            except SystemExit as ended:
                code = ended.code
            finally:
                signal.signal(signal.SIGTERM, before)
        return subprocess.CompletedProcess(arguments, code, out.getvalue(), err.getvalue())

    def in_its_own(arguments, environment, packages):
        paths = [*map(str, packages), str(outside_packages), os.environ.get("PYTHONPATH", "")]
        return subprocess.run(
            [sys.executable, "-m", "tgsci", *arguments],
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **environment},
            capture_output=True,
            text=True,
            timeout=300,
        )

    def run(*arguments, process=False, packages=(), **environment):
        how = in_its_own if process else in_this_process
        return how(arguments, {"COLUMNS": "200", **environment}, packages)

    return run


@pytest.fixture(autouse=True)
def _no_backward_engine():
    set_backward_engine(None)
    yield
    set_backward_engine(None)


@pytest.fixture
def script(tmp_path):
    """Writes a script and runs it in a fresh interpreter; returns what it printed."""

    def run(code: str, *arguments: str, check: bool = True, **env: str) -> str:
        path = tmp_path / "script.py"
        path.write_text(textwrap.dedent(code))
        done = subprocess.run(
            [sys.executable, str(path), *arguments],
            capture_output=True,
            text=True,
            timeout=60,
            env=child_environment(**env),
        )
        assert not check or done.returncode == 0, done.stderr
        return done.stdout + ("" if check else done.stderr)

    return run


@pytest.fixture
def start_script(tmp_path):
    """Starts a script and does not wait; whatever still runs at the end of the test is killed."""
    started: list[subprocess.Popen[str]] = []

    def start(code: str, *arguments: str) -> subprocess.Popen[str]:
        path = tmp_path / f"script{len(started)}.py"
        path.write_text(textwrap.dedent(code))
        process = subprocess.Popen(
            [sys.executable, str(path), *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=child_environment(),
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
