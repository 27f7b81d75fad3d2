"""`tgsci runs`: look at runs, compare them, go on with one, branch off from one."""

import sqlite3

import pytest

from tests.cli.jobs import JOB


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


def test_a_run_of_another_format_is_refused(tgsci, done, tmp_path):
    with sqlite3.connect(tmp_path / "r" / "run.db") as db:
        db.execute("PRAGMA user_version = 99")
    for command in ("show", "resume", "plot"):
        failed = tgsci("runs", command, "r")
        assert failed.returncode == 2
        assert "has run format 99" in failed.stderr
    assert "run format 99" in tgsci("runs", "list", ".").stdout.replace("\n", " ")


def test_what_a_run_says_is_no_markup(tgsci, done, tmp_path):
    with sqlite3.connect(tmp_path / "r" / "run.db") as db:
        db.execute("UPDATE sessions SET ended = 'stopped by [/INST] and [key]'")
    listed = tgsci("runs", "list", ".")
    assert listed.returncode == 0, listed.stderr
    assert "[/INST] and [key]" in listed.stdout


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
