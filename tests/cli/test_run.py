"""`tgsci run`, and what every command that runs a problem says and keeps."""

import json
import re
import sqlite3

import pytest

from tests.cli.jobs import BARE, JOB
from tgsci.runs.result import Result


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


def test_the_same_command_on_a_finished_run_shows_its_result(tgsci, done):
    again = tgsci("run", "job.toml", "--run", "r", "--workers", "1")
    assert again.returncode == 0
    assert "20 evaluations" in again.stdout


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
    job.write_text(
        JOB.replace("= 20", "= 2") + 'proposals = 1\noptimizer = "tgd"\n[engine]\nname = "replay:replies.jsonl"\n'
    )
    played = tgsci("run", "job.toml", "--run", "b")
    assert played.returncode == 0, played.stderr
    assert "2.5000" in played.stdout
    assert "answered from a recording" in (tmp_path / "b" / "report.html").read_text()


def test_a_model_and_the_rule_editor_share_a_run_and_it_is_seen_who_proposed_what(tgsci, job, tmp_path):
    idea = "IDEA 1\nFROM: #0\nROLE: refine\nEXPECTED: 0.5\nREASON: nearer\n<VALUE>2.25</VALUE>"
    line = json.dumps({"reply": {"text": idea}})
    (tmp_path / "replies.jsonl").write_text(f"{line}\n" * 20)
    ran = tgsci("run", "job.toml", "--run", "r", "--engine", "replay:replies.jsonl", "--evals", "6", "--ideas", "1")
    assert ran.returncode == 0, ran.stderr
    assert "by replay:replies.jsonl, to refine; expected 0.5000, got 0.5625" in ran.stderr
    assert re.search(r"proposed by: .*replay:replies.jsonl \d+ trials, 1 measured, 1 of them gains", ran.stdout)
    number = next(t.number for t in Result.load(tmp_path / "r").trials if t.value == "2.2500")
    shown = tgsci("runs", "show", "r", "--trial", str(number)).stdout
    assert "By replay:replies.jsonl, to refine.\nExpected 0.5000, got 0.5625." in shown
    header = Result.load(tmp_path / "r").header
    assert (header["ideas"], header["optimizer"]) == (1, "team")


def test_the_options_of_the_desk_are_read_from_a_job_and_the_command_line_wins(tgsci, job, tmp_path):
    job.write_text(JOB + "ideas = 5\nprompt_tokens = 4000\nconfirm = false\n")
    assert tgsci("run", "job.toml", "--run", "r", "--prompt-tokens", "3000", "--evals", "3").returncode == 0
    header = Result.load(tmp_path / "r").header
    assert [header[name] for name in ("ideas", "prompt_tokens", "confirm")] == [5, 3000, False]
    resumed = tgsci("runs", "resume", "r", "--confirm", "--ideas", "7", "--tokens", "1000", "--evals", "4")
    assert resumed.returncode == 0, resumed.stderr
    header = Result.load(tmp_path / "r").header
    assert [header[name] for name in ("ideas", "prompt_tokens", "confirm")] == [7, 3000, True]
    assert header["budget"]["tokens"] == 1000
    refused = tgsci("run", "job.toml", "--run", "s", "--prompt-tokens", "100")
    assert refused.returncode == 2
    assert "prompt_tokens must be a whole number of 2000 or more, not 100" in refused.stderr


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


def test_a_baseline_proposes_and_a_resumed_run_keeps_it(tgsci, job, tmp_path):
    done = tgsci("run", "job.toml", "--run", "r", "--optimizer", "throw", "--evals", "5")
    assert done.returncode == 0, done.stderr
    assert "(new, throw, by throw)" in done.stdout
    more = tgsci("runs", "resume", "r", "--evals", "9")
    assert "trial 8" in more.stderr
    assert "by chance" in tgsci("runs", "show", "r", "--trial", "8").stdout


def test_the_command_line_wins_over_the_jobs_proposer(tgsci, job, tmp_path):
    job.write_text(JOB + 'optimizer = "throw"\n')
    assert "(new, throw, by throw)" in tgsci("run", "job.toml", "--run", "a").stdout
    assert "(new, throw, by throw)" not in tgsci("run", "job.toml", "--run", "b", "--optimizer", "rules").stdout
    job.write_text(JOB + '[engine]\nname = "replay:nowhere.jsonl"\n')
    assert "(new, throw, by throw)" in tgsci("run", "job.toml", "--run", "c", "--optimizer", "throw").stdout


def test_a_menu_is_chosen_from_and_the_recording_is_read_once(tgsci, job, tmp_path):
    line = json.dumps({"reply": {"text": "REASON: nearer to 3 m\nEXPECT: 1.5\nCHOICE: 9"}})
    (tmp_path / "replies.jsonl").write_text(f"{line}\n")
    job.write_text(JOB.replace("= 20", "= 2") + 'proposals = 1\noptimizer = "menu"\n')
    done = tgsci("run", "job.toml", "--run", "r", "--engine", "replay:replies.jsonl")
    assert done.returncode == 0, done.stderr
    assert "chosen from enumerated options by replay:replies.jsonl" in done.stderr
    assert "nearer to 3 m" in done.stdout
    assert "expected 1.500, got 1.000" in done.stdout
    assert "2.0000" in done.stdout
    assert tgsci("runs", "resume", "r").returncode == 0


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


def test_figures_keep_their_decimals(tgsci, job, tmp_path):
    job.write_text(JOB.replace("= 20", "= 1").replace("target = 3.0", 'target = 3.0\nstart = "-9"'))
    done = tgsci("run", "job.toml", "--run", "r")
    assert "loss 144.0 (x -9.000 m)" in done.stdout
    assert "loss 144.0  x -9.000" in done.stderr


@pytest.mark.slow
def test_a_dry_run_shows_the_prompt_the_calls_and_the_price_and_leaves_nothing(tgsci, job, tmp_path):
    planned = tgsci("run", "job.toml", "--engine", "gpt-4o", "--dry-run")
    assert planned.returncode == 0, planned.stderr
    assert "--- proposals, a round each: the first prompt to gpt-4o, about " in planned.stdout
    assert "x = 0.0 m gives 9 m^2" in planned.stdout
    assert re.search(r"5  proposals, a round each \(gpt-4o\): at most [\d,]+ tokens in", planned.stdout)
    assert re.search(r"in all 5 calls, price about 0\.\d+ USD", planned.stdout)
    assert not (tmp_path / "runs").exists()
    nobody = tgsci("run", "job.toml", "--dry-run")
    assert nobody.returncode == 2
    assert "nobody is asked here: a dry run goes with --engine" in nobody.stderr
