"""A job file, and a run of it."""

import pytest

from tests.cli.jobs import JOB


@pytest.fixture
def job(tmp_path):
    (tmp_path / "job.toml").write_text(JOB)
    return tmp_path / "job.toml"


@pytest.fixture
def done(tgsci, job):
    """A finished run in the directory `r`."""
    finished = tgsci("run", "job.toml", "--run", "r", "--workers", "1")
    assert finished.returncode == 0, finished.stderr
    return finished
