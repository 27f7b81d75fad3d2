"""The outside domain, built and installed as its author's users would have it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

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
def tgsci(outside_packages, tmp_path):
    """Run the command line in an empty directory: `tgsci("runs", "list") -> CompletedProcess`."""

    def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
        paths = [str(outside_packages), os.environ.get("PYTHONPATH", "")]
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "COLUMNS": "200", **environment}
        env.pop("TGSCI_ENGINE", None) if "TGSCI_ENGINE" not in environment else None
        return subprocess.run(
            [sys.executable, "-m", "tgsci", *arguments],
            cwd=tmp_path,
            env=env,
            capture_output=True,
            text=True,
            timeout=300,
        )

    return run
