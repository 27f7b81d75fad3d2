"""The command line as a person meets it."""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time

import pytest

from tgsci.search import database

BARE = """
domain = "polynomial"
[polynomial]
target = 3.0
[budget]
evaluations = 20
"""
JOB = f"{BARE}[run]\nworkers = 0\n"


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


def test_the_end_shows_the_best_why_it_was_made_and_where_things_are(done):
    assert "stopped: the budget of 20 evaluations is used up" in done.stdout
    assert "best: trial" in done.stdout
    assert "from trial" in done.stdout
    assert "a step of" in done.stdout


def test_without_a_directory_a_run_gets_one_below_runs(tgsci, job, tmp_path):
    tgsci("run", "job.toml", "--workers", "1")
    (directory,) = (tmp_path / "runs").iterdir()
    assert directory.name.startswith("polynomial-")
    assert str(directory.relative_to(tmp_path)) in tgsci("runs", "list").stdout.replace("\n", "")


def test_show_tells_one_trials_whole_story(tgsci, done):
    assert "trial 0 (start)" in tgsci("runs", "show", "r", "--top", "50").stdout
    story = tgsci("runs", "show", "r", "--trial", "3").stdout
    assert "line of descent" in story
    assert "gives" in story
    assert "artifacts: x.txt" in story


def test_plot_writes_a_png(tgsci, done, tmp_path):
    assert tgsci("runs", "plot", "r").stdout == "wrote r/plot.png\n"
    assert (tmp_path / "r" / "plot.png").read_bytes().startswith(b"\x89PNG")


def test_a_finished_run_goes_on_with_a_bigger_budget(tgsci, done):
    more = tgsci("runs", "resume", "r", "--evals", "28")
    assert more.returncode == 0, more.stderr
    assert "the budget of 28 evaluations is used up" in more.stdout
    again = tgsci("runs", "resume", "r")
    assert "the budget of 28 evaluations is used up" in again.stdout


def test_the_same_command_on_a_finished_run_shows_its_result(tgsci, done):
    again = tgsci("run", "job.toml", "--run", "r", "--workers", "1")
    assert again.returncode == 0
    assert "20 evaluations" in again.stdout


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
        (["bogus"], "No such command 'bogus'; there are: run, runs, doctor, molecules, polynomial, radiotherapy"),
        (["rnu"], "No such command 'rnu'; did you mean run?"),
        (
            ["run", "job.toml", "--optimizer", "ga"],
            "there are: rules, throw, tgd (with an engine), menu (with an engine)",
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


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("domain = ", "no valid TOML"),
        ("[polynomial]", "which domain"),
        ('domain = "alchemy"\n[alchemy]', "no domain 'alchemy' is installed"),
        (BARE + "[runn]\n", "unknown key 'runn'"),
        (BARE + "[run]\nseeds = 1\n", "unknown key 'seeds'"),
        (BARE.replace("evaluations", "evals"), "unknown key 'evals'"),
        (BARE.replace("target", "tarket"), "unknown key 'tarket'"),
        (BARE.replace("target = 3.0", 'target = 3.0\nstart = "up"'), "the start value 'up' cannot be used"),
        (BARE.replace("= 20", '= "20"'), "[budget]: evaluations must be a whole number, not '20'"),
        (BARE.replace("= 20", "= 2.5"), "[budget]: evaluations must be a whole number, not 2.5"),
        (BARE + '[run]\nproposals = "4"\n', "proposals must be a whole number"),
        (BARE + '[run]\nworkers = 2\nexecutor = "dask://h:1"\n', "exclude each other"),
        (BARE + "[run]\nexecutor = 5\n", "executor must be text"),
        (BARE + '[run]\nworkers = "dask://h:1"\n', "an address goes to executor"),
        (BARE + '[run]\noptimizer = "ga"\n', "there are: rules, throw"),
        (BARE + "[run]\noptimizer = 5\n", "optimizer must be text (who proposes, by name), not 5"),
        (BARE + '[run]\noptimizer = "throw"\n[engine]\nname = "human"\n', "leave one of them out"),
        (BARE + "[run]\nworkers = 1.5\n", "workers must be a whole number"),
        (BARE + "[run]\nseed = [1]\n", "seed must be a whole number"),
        (BARE + '[run]\ngoal = "x"\n', "goal must be a number"),
        (BARE + "[run]\ndirectory = 5\n", "directory must be text"),
        (BARE + '[engine]\nname = "gpt-4o"\napi_key = "s3cret"\n', "put it in the environment"),
        (BARE + '[engine]\nname = "x/y"\nextra_headers = {Authorization = "Bearer s3cret"}\n', "'extra_headers"),
        (BARE + '[engine]\nname = "x/y"\napi_base = "http://me:s3cret@h/"\n', "'api_base' does not belong"),
    ],
)
def test_a_bad_job_file_says_what_to_change(tgsci, job, tmp_path, text, says):
    job.write_text(text)
    failed = tgsci("run", "job.toml")
    assert failed.returncode == 2
    assert says in failed.stderr
    assert "Traceback" not in failed.stderr
    assert "s3cret" not in failed.stderr
    assert not list(tmp_path.rglob("run.db"))


def test_a_run_of_another_format_is_refused(tgsci, done, tmp_path):
    with sqlite3.connect(tmp_path / "r" / "run.db") as db:
        db.execute("PRAGMA user_version = 99")
    for command in ("show", "resume", "plot"):
        failed = tgsci("runs", command, "r")
        assert failed.returncode == 2
        assert "has run format 99" in failed.stderr
    assert "run format 99" in tgsci("runs", "list", ".").stdout.replace("\n", " ")


def test_other_settings_in_the_same_directory_are_refused_by_name(tgsci, done, job):
    job.write_text(JOB.replace("3.0", "4.0"))
    failed = tgsci("run", "job.toml", "--run", "r", "--seed", "9")
    assert failed.returncode == 2
    assert "what is measured: target 3.0 there, 4.0 now" in failed.stderr
    assert "seed: 0 there, 9 now" in failed.stderr


def test_the_environment_chooses_the_engine_and_the_option_wins(tgsci, job, tmp_path):
    chosen = tgsci("run", "job.toml", TGSCI_ENGINE="replay:nowhere.jsonl")
    assert chosen.returncode == 2
    assert "nowhere.jsonl" in chosen.stderr
    wins = tgsci("run", "job.toml", "--engine", "rules", TGSCI_ENGINE="replay:nowhere.jsonl")
    assert wins.returncode == 0
    assert "no model is asked" in wins.stderr


def test_a_job_file_may_name_the_rule_editor_or_a_recording(tgsci, job, tmp_path):
    job.write_text(JOB + '[engine]\nname = "rules"\n')
    assert "no model is asked" in tgsci("run", "job.toml", "--run", "a").stderr
    reply = "<REASON>r</REASON><IMPROVED_VARIABLE>2.5</IMPROVED_VARIABLE>"
    line = json.dumps({"reply": {"text": reply}})
    (tmp_path / "replies.jsonl").write_text(f"{line}\n")
    job.write_text(JOB.replace("= 20", "= 2") + 'proposals = 1\n[engine]\nname = "replay:replies.jsonl"\n')
    played = tgsci("run", "job.toml", "--run", "b")
    assert played.returncode == 0, played.stderr
    assert "2.5000" in played.stdout
    assert "answered from a recording" in (tmp_path / "b" / "report.html").read_text()


def test_what_a_run_says_is_no_markup(tgsci, done, tmp_path):
    with sqlite3.connect(tmp_path / "r" / "run.db") as db:
        db.execute("UPDATE sessions SET ended = 'stopped by [/INST] and [key]'")
    listed = tgsci("runs", "list", ".")
    assert listed.returncode == 0, listed.stderr
    assert "[/INST] and [key]" in listed.stdout


def test_a_closed_pipe_does_not_cost_the_run(outside_packages, job, tmp_path):
    env = {**os.environ, "PYTHONPATH": f"{outside_packages}:{os.environ.get('PYTHONPATH', '')}"}
    command = f"{sys.executable} -m tgsci run job.toml --run r --workers 0 2>&1 | head -3"
    subprocess.run(["bash", "-c", command], cwd=tmp_path, env=env, check=True, capture_output=True, timeout=120)
    deadline = time.monotonic() + 60
    while _measured(tmp_path) < 20 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _measured(tmp_path) == 20


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


def test_result_files_that_cannot_be_written_cost_the_exit_code_and_nothing_else(tgsci, job, tmp_path):
    (tmp_path / "r" / "x.csv").mkdir(parents=True)
    failed = tgsci("run", "job.toml", "--run", "r", process=True)
    assert failed.returncode == 1
    assert "could not write r/x.csv: Is a directory; nothing measured is lost" in failed.stderr
    assert "the budget of 20 evaluations is used up" in failed.stdout
    assert (tmp_path / "r" / "report.html").exists()
    (tmp_path / "r" / "x.csv").rmdir()
    assert tgsci("runs", "resume", "r").returncode == 0
    assert (tmp_path / "r" / "x.csv").is_file()


def test_what_a_person_should_know_is_said_by_every_command_that_runs_and_kept(tgsci, job, tmp_path):
    job.write_text(JOB.replace("target = 3.0", 'target = 3.0\nstart = "1,5"'))
    note = "The start value 1,5 is read as 1.5."
    assert note in tgsci("run", "job.toml", "--run", "r").stderr
    assert note not in tgsci("runs", "resume", "r", "--evals", "21").stderr, "its start is written properly by now"
    line = json.dumps({"reply": {"text": "1"}})
    (tmp_path / "replies.jsonl").write_text(f"{line}\n" * 9)
    assert note in tgsci("run", "job.toml", "--run", "m", "--engine", "replay:replies.jsonl", "--evals", "1").stderr
    assert tgsci("runs", "report", "r").returncode == 0
    assert note in (tmp_path / "r" / "report.html").read_text()


def test_a_name_that_the_terminal_cannot_show_is_escaped(tgsci, job):
    done = tgsci("run", "job.toml", "--run", "lä uf", process=True, PYTHONIOENCODING="ascii")
    assert done.returncode == 0, done.stderr
    assert "l\\xe4 uf" in done.stdout


# -- who proposes ------------------------------------------------------------------------------------


def test_a_baseline_proposes_and_a_resumed_run_keeps_it(tgsci, job, tmp_path):
    done = tgsci("run", "job.toml", "--run", "r", "--optimizer", "throw", "--evals", "5")
    assert done.returncode == 0, done.stderr
    assert ", throw)" in done.stdout
    more = tgsci("runs", "resume", "r", "--evals", "9")
    assert "trial 8" in more.stderr
    assert "by chance" in tgsci("runs", "show", "r", "--trial", "8").stdout


def test_the_command_line_wins_over_the_jobs_proposer(tgsci, job, tmp_path):
    job.write_text(JOB + 'optimizer = "throw"\n')
    assert ", throw)" in tgsci("run", "job.toml", "--run", "a").stdout
    assert ", throw)" not in tgsci("run", "job.toml", "--run", "b", "--optimizer", "rules").stdout
    job.write_text(JOB + '[engine]\nname = "replay:nowhere.jsonl"\n')
    assert ", throw)" in tgsci("run", "job.toml", "--run", "c", "--optimizer", "throw").stdout


def test_a_menu_is_chosen_from_and_the_recording_is_read_once(tgsci, job, tmp_path):
    line = json.dumps({"reply": {"text": "EVIDENCE: x = 0.0 m gives 9.000\nCHOICE: 9"}})
    (tmp_path / "replies.jsonl").write_text(f"{line}\n")
    job.write_text(JOB.replace("= 20", "= 2") + 'proposals = 1\noptimizer = "menu"\n')
    done = tgsci("run", "job.toml", "--run", "r", "--engine", "replay:replies.jsonl")
    assert done.returncode == 0, done.stderr
    assert "chosen from enumerated options by replay:replies.jsonl" in done.stderr
    assert 'evidence: "x = 0.0 m gives 9.000" a step of the menu' in done.stdout
    assert "2.0000" in done.stdout
    assert tgsci("runs", "resume", "r").returncode == 0


# -- finishing, branching, comparing -----------------------------------------------------------------


def test_finalists_are_measured_again_and_it_is_seen(tgsci, job, tmp_path):
    job.write_text(JOB.replace("target = 3.0", "target = 3.0\ncareful = true"))
    done = tgsci("run", "job.toml", "--run", "r", "--workers", "2")
    assert done.returncode == 0, done.stderr
    assert "[3/3 (0 s left)] measuring the finalists again" in done.stderr
    assert done.stdout.count("\n  measured again: loss") == 3
    best = tgsci("runs", "show", "r", "--top", "1").stdout
    number = best.split("trial ")[1].split()[0]
    assert "measured with the good ruler" in tgsci("runs", "show", "r", "--trial", number).stdout


def test_options_that_only_the_domain_knows_win_over_its_table(tgsci, done, job):
    changed = tgsci("run", "job.toml", "--target", "4.0", "--run", "c", "--evals", "2")
    assert changed.returncode == 0, changed.stderr
    assert json.loads(_config("c"))["target"] == 4.0
    branched = tgsci("runs", "branch", "r", "--trial", "3", "--target=5", "--run", "b", "--evals", "2")
    assert branched.returncode == 0, branched.stderr
    assert json.loads(_config("b"))["target"] == 5


def _config(run):
    with sqlite3.connect(f"{run}/run.db") as db:
        return db.execute("SELECT value FROM header WHERE key = 'config'").fetchone()[0]


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


def test_a_directory_of_runs_is_no_run_and_names_those_in_it(tgsci, done):
    tgsci("run", "job.toml", "--run", "batch/one", "--evals", "1")
    failed = tgsci("runs", "resume", "batch")
    assert failed.returncode == 2
    assert "There are runs in it: one; name one of them. The command" in failed.stderr
    assert "--run batch" in failed.stderr


def test_a_run_branches_off_another_and_says_so(tgsci, done, tmp_path):
    branched = tgsci("runs", "branch", "r", "--trial", "3", "--run", "b", "--evals", "4", "--optimizer", "throw")
    assert branched.returncode == 0, branched.stderr
    for shown in (branched, tgsci("runs", "show", "b")):
        assert "branched from trial 3 (loss " in shown.stdout
    assert tgsci("runs", "resume", "b", "--evals", "6").returncode == 0
    wrong = tgsci("runs", "branch", "r", "--trial", "99")
    assert wrong.returncode == 2
    assert "there is no trial 99; the run has 0 to 19" in wrong.stderr


def test_runs_are_compared_side_by_side(tgsci, done, job, tmp_path):
    tgsci("run", "job.toml", "--run", "t", "--optimizer", "throw")
    shown = tgsci("runs", "compare", "r", "t", "--plot", "both.png")
    assert shown.returncode == 0, shown.stderr
    assert "best loss after 10" in shown.stdout
    assert "throw" in shown.stdout
    assert "does not measure" not in shown.stderr
    assert (tmp_path / "both.png").read_bytes().startswith(b"\x89PNG")
    job.write_text(JOB.replace("3.0", "4.0"))
    tgsci("run", "job.toml", "--run", "o")
    other = tgsci("runs", "compare", "r", "o", "--plot", "no.png")
    assert (other.returncode, other.stdout) == (2, "")
    assert (
        "these runs cannot be ranked together\no does not measure what r does: target: 3 in r, 4 in o" in other.stderr
    )
    assert not (tmp_path / "no.png").exists()
    anyway = tgsci("runs", "compare", "r", "o", "--anyway")
    assert "o does not measure what r does" in anyway.stderr
    assert "best loss after 10" in anyway.stdout
    assert tgsci("runs", "compare", "r", "t", "--plot", "both.xyz").returncode == 2


def test_in_a_narrow_terminal_runs_stand_one_below_the_other(tgsci, done):
    tgsci("run", "job.toml", "--run", "another/run", "--optimizer", "throw")
    listed = tgsci("runs", "list", ".", COLUMNS="40").stdout
    compared = tgsci("runs", "compare", "r", "another/run", COLUMNS="40").stdout
    assert "\n  polynomial, 20 trials, best loss" in listed
    assert "another/run" in listed
    assert max(map(len, (listed + compared).splitlines())) <= 40
    assert "run                 another/run" in compared.replace(" run ", "run ")
    assert all(figure in compared for figure in ("best loss after 10", "best loss after 20"))


def test_a_finished_run_goes_on_with_other_limits(tgsci, done):
    stopped = tgsci("runs", "resume", "r", "--evals", "400", "--goal", "1000")
    assert "the goal is met" in stopped.stdout
    again = tgsci("runs", "resume", "r", "--goal", "-1", "--seconds", "0.000001")
    assert "the budget of 1e-06 s is used up" in again.stdout
    assert tgsci("runs", "resume", "r", "--model-calls", "0").returncode == 2


@pytest.mark.parametrize("top", ["0", "-1"])
def test_how_many_to_show_is_at_least_one(tgsci, done, top):
    failed = tgsci("runs", "show", "r", "--top", top)
    assert failed.returncode == 2
    assert f"--top must be at least 1, not {top}" in failed.stderr


def test_a_picture_that_cannot_be_written_names_the_way_out(tgsci, done, tmp_path):
    (tmp_path / "r" / "plot.png").mkdir()
    failed = tgsci("runs", "plot", "r")
    assert failed.returncode == 1
    assert "choose another place with --output FILE" in failed.stderr
    assert "Traceback" not in failed.stderr


def test_in_a_narrow_terminal_columns_are_dropped_and_figures_are_whole(tgsci, done):
    shown = tgsci("runs", "show", "r", "--top", "3", COLUMNS="26").stdout
    assert "no room for: x" in shown
    assert "…" not in shown
    assert "no room for" not in tgsci("runs", "show", "r", "--top", "3", COLUMNS="60").stdout


def test_figures_keep_their_decimals(tgsci, job, tmp_path):
    job.write_text(JOB.replace("= 20", "= 1").replace("target = 3.0", 'target = 3.0\nstart = "-9"'))
    done = tgsci("run", "job.toml", "--run", "r")
    assert "loss 144.0 (x -9.000 m)" in done.stdout
    assert "loss 144.0  x -9.000" in done.stderr


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
