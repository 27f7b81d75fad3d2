"""Exit codes, messages, signals and imports of the whole command line."""

import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tests.cli.jobs import JOB
from tgsci.search import database


@pytest.mark.slow
def test_ctrl_c_ends_a_run_cleanly_and_resume_finishes_it(tgsci, outside_packages, job, tmp_path):
    job.write_text(JOB.replace("evaluations = 20", "evaluations = 400000"))
    env = {**os.environ, "PYTHONPATH": f"{outside_packages}:{os.environ.get('PYTHONPATH', '')}"}
    command = [sys.executable, "-m", "tgsci", "run", "job.toml", "--run", "r", "--workers", "2"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as p:
        while not (tmp_path / "r" / "run.db").exists() or _measured(tmp_path) < 5:
            assert p.poll() is None, p.communicate()[1]
            time.sleep(0.05)
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
    assert p.returncode == 130
    assert "Traceback" not in err
    assert "Go on with: tgsci runs resume r" in out
    before = _measured(tmp_path)
    finished = tgsci("runs", "resume", "r", "--evals", str(before + 5))
    assert finished.returncode == 0, finished.stderr
    assert _measured(tmp_path) == before + 5


def _measured(directory):
    try:
        with sqlite3.connect(f"{(directory / 'r' / 'run.db').as_uri()}?mode=ro", uri=True) as db:
            return db.execute("SELECT count(*) FROM measurements").fetchone()[0]
    except sqlite3.OperationalError:
        return 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "missing.toml"], "cannot read the job 'missing.toml'"),
        (["run", "job.toml", "--evals", "0"], "the budget of evaluations must be a whole number above 0"),
        (["run", "job.toml", "--evals", "many"], "'many' is not a valid integer"),
        (["run", "job.toml", "--proposals", "0"], "proposals must be a whole number above 0"),
        (["run", "job.toml", "--workers", "-1"], "workers must be 0 or more"),
        (["run", "job.toml", "--engine", "replay:nowhere.jsonl"], "nowhere.jsonl"),
        (["run", "job.toml", "--run", "job.toml/below"], "cannot write a run into 'job.toml/below'"),
        (["runs", "list", "nowhere"], "there is no directory 'nowhere'"),
        (["runs", "show", "nowhere"], "is no run"),
        (["runs", "resume", "nowhere"], "is no run"),
        (["runs", "plot", "nowhere"], "is no run"),
        (
            ["bogus"],
            "No such command 'bogus'; there are: run, runs, doctor, language, molecules, polynomial, radiotherapy",
        ),
        (["rnu"], "No such command 'rnu'; did you mean run?"),
        (
            ["run", "job.toml", "--optimizer", "ga"],
            "there are: rules, throw, team (with an engine), desk (with an engine), tgd (with an engine), menu",
        ),
        (["run", "job.toml", "--optimizer", "throw", "--engine", "human"], "proposes on its own and asks no model"),
        (["run", "job.toml", "--optimizer", "menu"], "name one with --engine"),
        (["run", "job.toml", "--workers", "2", "--executor", "dask://h:1"], "exclude each other"),
        (["run", "job.toml", "--executor", "h:1"], "write dask://HOST:PORT"),
        (["runs", "branch", "nowhere", "--trial", "0"], "is no run"),
        (["runs", "compare", "nowhere"], "two runs or more"),
        (["runs", "compare", "nowhere", "there"], "is no run"),
        (["polynomial"], "square a number"),
    ],
)
def test_bad_input_gets_a_clear_message_and_no_run(tgsci, job, tmp_path, arguments, says):
    failed = tgsci(*arguments)
    assert failed.returncode == 2
    assert says in failed.stderr
    assert "Traceback" not in failed.stderr
    assert not list(tmp_path.rglob("run.db"))


def test_a_closed_pipe_does_not_cost_the_run(outside_packages, job, tmp_path):
    env = {**os.environ, "PYTHONPATH": f"{outside_packages}:{os.environ.get('PYTHONPATH', '')}"}
    command = f"{sys.executable} -m tgsci run job.toml --run r --workers 0 2>&1 | head -3"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)
    deadline = time.monotonic() + 60
    while _measured(tmp_path) < 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _measured(tmp_path) == 20


@pytest.mark.slow
def test_a_full_disk_is_said_with_the_way_out(tgsci, job, monkeypatch):
    real = database.connect

    def tiny(path):
        connection = real(path)
        connection.execute("PRAGMA max_page_count = 20")
        return connection

    with monkeypatch.context() as full:
        full.setattr(database, "connect", tiny)
        for again in (("run", "job.toml", "--run", "r", "--evals", "200"), ("runs", "resume", "r")):
            failed = tgsci(*again)
            assert failed.returncode == 1
            assert "database or disk is full; make room, then resume the run" in failed.stderr
            assert failed.stderr.endswith("Nothing is lost. Go on with: tgsci runs resume r\n")
    resumed = tgsci("runs", "resume", "r")
    assert resumed.returncode == 0
    assert "the budget of 200 evaluations is used up" in resumed.stdout


def test_a_name_that_the_terminal_cannot_show_is_escaped(tgsci, job):
    done = tgsci("run", "job.toml", "--run", "lä uf", process=True, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "l\\xe4 uf" in done.stdout


@pytest.mark.parametrize(
    ("words", "usage", "says"),
    [
        (["run", "job.toml", "--targt", "4"], "Usage: tgsci run ", "unknown key 'targt'"),
        (
            ["run", "job.toml", "--target"],
            "Usage: tgsci run ",
            "No such option '--target'; a key of the domain's table needs a value.",
        ),
        (["run", "job.toml", "more"], "Usage: tgsci run ", "unexpected extra argument (more)"),
        (["runs", "branch", "r", "--trial", "1", "--bogus", "4"], "Usage: tgsci runs branch ", "unknown key 'bogus'"),
        (["runs", "resume", "r", "--bogus", "4"], "Usage: tgsci runs resume ", "No such option '--bogus'"),
        (["runs", "show", "r", "--bogus"], "Usage: tgsci runs show ", "No such option '--bogus'"),
    ],
)
def test_an_option_that_nobody_knows_gets_the_usage_of_its_command(tgsci, done, words, usage, says):
    failed = tgsci(*words)
    assert failed.returncode == 2
    assert failed.stderr.startswith(usage)
    assert says in failed.stderr


HELP = """
import contextlib, io, sys
from tgsci.cli.main import main
words = sys.argv[1:]
with contextlib.redirect_stdout(io.StringIO()):
    code = main(words)
print(code, *sorted({name.partition(".")[0] for name in sys.modules}))
"""


@pytest.mark.parametrize(
    "words", ["--version", "--help", "run --help", "runs --help", "runs resume --help", "runs list ."]
)
def test_help_and_lists_load_nothing_heavy(script, words):
    code, *loaded = script(HELP, *words.split()).split()
    assert code == "0"
    assert "click" in loaded
    heavy = {"numpy", "pandas", "matplotlib", "jinja2", "litellm", "rdkit", "numba", "zarr", "distributed"}
    assert not heavy & set(loaded)
