"""Job files are read into typed tables; what is wrong in one is said with what to write."""

from __future__ import annotations

import pytest

import tgsci as tg
from tgsci.runs.job import read_job, stated

JOB = """
domain = "line"
[line]
target = 3
[budget]
evaluations = 20
usd = 1
[run]
seed = 4
workers = 2
[engine]
name = "gpt-4o"
temperature = 0.5
"""


@pytest.fixture
def job(tmp_path):
    def write(text):
        (tmp_path / "job.toml").write_text(text)
        return read_job(tmp_path / "job.toml")

    return write


def test_every_table_is_read(job):
    read = job(JOB)
    assert (read.domain, read.table) == ("line", {"target": 3})
    assert stated(read.budget) == {"evaluations": 20, "usd": 1.0}
    assert stated(read.run) == {"seed": 4, "workers": 2}
    assert read.engine == {"name": "gpt-4o", "temperature": 0.5}


def test_only_the_domain_is_needed(job):
    read = job('domain = "line"')
    assert (read.table, stated(read.budget), stated(read.run), read.engine) == ({}, {}, {}, None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain = ", "no valid TOML"),
        ("[line]", "does not say which domain it is for: add a line like domain"),
        ('domain = "line"\nline = 5', r"'line' in .* must be a table: \[line\]"),
        (JOB + "[runn]\n", r"unknown key 'runn' in '.*job.toml'; did you mean run\?"),
        (JOB.replace("seed", "sede"), r"\[run\]: unknown key 'sede'; did you mean seed\?"),
        (JOB.replace("usd", "budget"), "unknown key 'budget'; there are: evaluations, seconds, usd, model_calls"),
        (JOB.replace("= 20", "= true"), r"\[budget\]: evaluations must be a whole number, not True"),
        (JOB.replace("usd = 1", 'usd = "1"'), r"\[budget\]: usd must be a number, not '1'"),
        (JOB.replace("workers = 2", 'workers = "dask://h:1"'), "must be a whole number.*an address goes to executor"),
        (
            JOB.replace("seed = 4", "directory = [1]"),
            r"\[run\]: directory must be text .where.*, not \[1\]",
        ),
    ],
)
def test_what_is_wrong_is_said_with_what_to_write(job, text, says):
    with pytest.raises(tg.UsageError, match=says):
        job(text)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(tg.UsageError, match="cannot read the job"):
        read_job(tmp_path / "none.toml")
