"""The language domain as the core meets it: a kind of task each, and nothing heavy before it is needed."""

import subprocess
import sys

import pytest

from tgsci.errors import UsageError
from tgsci.runs.domain import Domains
from tgsci_language import domain

from ..processes import child_environment
from .answers.students import write_questions


def test_it_is_registered_as_an_outsiders_domain_would_be():
    assert Domains.installed().load("language") is domain


@pytest.mark.parametrize("config", [{}, {"kind": "poem"}, {"kind": ["code"]}])
def test_an_unknown_kind_names_those_there_are(config):
    with pytest.raises(UsageError, match="kind must be one of code, prompt, answer"):
        domain.problem(config)


def test_what_a_problem_records_builds_it_again(tmp_path):
    path = tmp_path / "replies.jsonl"
    path.write_text('{"reply": "Answer: A"}\n')
    questions = write_questions(tmp_path / "q.csv", 3)
    config = {"kind": "answer", "questions": str(questions), "engine": f"replay:{path}", "iterations": 2, "seed": 5}
    problem = domain.problem(config)
    again = domain.problem(problem.config)
    assert again.config == problem.config
    assert again.loss.fingerprint == problem.loss.fingerprint
    assert list(again.start) == list(problem.start)
    with pytest.raises(UsageError, match=r"unknown key 'iteration' .*did you mean iterations"):
        domain.problem({**config, "iteration": 2})


def test_the_questions_may_be_named_from_another_directory(tmp_path, monkeypatch):
    write_questions(tmp_path / "q.csv", 3)
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "replies.jsonl"
    path.write_text('{"reply": "Answer: A"}\n')
    problem = domain.problem({"kind": "answer", "questions": "q.csv", "engine": f"replay:{path}"})
    monkeypatch.chdir("/")
    assert domain.problem(problem.config).loss.fingerprint == problem.loss.fingerprint


@pytest.mark.slow
def test_importing_it_and_listing_its_commands_loads_nothing_heavy():
    code = (
        "import sys, tgsci_language; tgsci_language.domain.commands().list_commands(None);"
        "print(*{name.split('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=child_environment()
    )
    assert not {"litellm", "numpy", "pandas", "matplotlib", "jinja2", "rich"} & set(done.stdout.split())
