"""What the core's tests share: no engine is left behind, and scripts run in fresh interpreters."""

from __future__ import annotations

import subprocess
import sys
import textwrap

import pytest
from core_processes import child_environment

import tgsci


@pytest.fixture(autouse=True)
def _no_backward_engine():
    tgsci.set_backward_engine(None)
    yield
    tgsci.set_backward_engine(None)


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
