"""`tgsci language answer` with a model on a local server: what is sent, and a run that is killed and goes on."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Response

from tgsci.runs.result import Result

from ...processes import child_environment
from ..answers.students import Student, write_questions

pytestmark = pytest.mark.slow
N = 6


@pytest.fixture(scope="module")
def make_httpserver():
    """As pytest-httpserver's own, but answering several requests at the same time."""
    with HTTPServer(host="127.0.0.1", threaded=True) as server:
        yield server


@pytest.fixture
def served(httpserver):
    """A server of OpenAI's protocol with a student behind it; gives its address and what it was sent."""
    student, sent = Student(draft=0.6, refined=True, seconds=0.02), []

    def handle(request):
        body = json.loads(request.get_data())
        sent.append(body)
        texts = {message["role"]: message["content"] for message in body["messages"]}
        message = {"role": "assistant", "content": student.complete(texts["user"], texts.get("system", ""))}
        answer = {
            "id": "x",
            "object": "chat.completion",
            "created": 1,
            "model": "student",
            "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
            "usage": {"prompt_tokens": 100, "completion_tokens": 20, "total_tokens": 120},
        }
        return Response(json.dumps(answer), content_type="application/json")

    httpserver.expect_request("/v1/chat/completions", method="POST").respond_with_handler(handle)
    return httpserver.url_for("/v1"), sent


def command(address, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", "tgsci", *arguments],
        env=child_environment(OPENAI_API_BASE=address, OPENAI_API_KEY="unused", COLUMNS="200"),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_killed_at_any_instant_it_goes_on_and_pays_for_no_reply_twice(served, tmp_path):
    address, sent = served
    questions, run = write_questions(tmp_path / "q.csv", N), str(tmp_path / "run")
    engine = ("--engine", "openai/student", "--temperature", "0.7", "--concurrent", "2", "--engine-concurrency", "3")
    killed = command(address, "language", "answer", str(questions), *engine, "--run", run)
    deadline = time.monotonic() + 120
    while len(sent) < 25 and killed.poll() is None and time.monotonic() < deadline:
        time.sleep(0.005)
    os.kill(killed.pid, signal.SIGKILL)
    killed.communicate()
    time.sleep(0.2)  # what the server was still answering
    before, recorded = len(sent), Result.load(run).spent.model_calls
    assert before >= 25
    assert before - recorded <= 3  # what was on its way: no more than may be asked at the same time
    resumed = command(address, "runs", "resume", run)
    out, err = resumed.communicate(timeout=240)
    assert resumed.returncode == 0, err
    assert f"{N * 13} model calls (price unknown)" in out
    assert "refinement minus sampling is" in out
    assert len(sent) - before == N * 13 - recorded


@pytest.mark.slow
def test_the_temperature_is_that_of_drafts_and_samples_alone(served, tmp_path):
    address, sent = served
    questions = write_questions(tmp_path / "q.csv", 1)
    arguments = (
        "--engine",
        "openai/student",
        "--iterations",
        "1",
        "--temperature",
        "0.7",
        "--run",
        str(tmp_path / "run"),
    )
    done = command(address, "language", "answer", str(questions), *arguments)
    out, err = done.communicate(timeout=240)
    assert done.returncode == 0, err
    asked = [("system" in [m["role"] for m in body["messages"]], body.get("temperature")) for body in sent]
    assert sorted(asked, key=str) == [(False, 0.7)] * 3 + [(True, None)] * 2
    assert "Temperature of drafts and samples: 0.7." in err
    assert "price unknown" in out
    assert "500 tokens sent, 100 received" in (tmp_path / "run" / "report.html").read_text()


@pytest.mark.slow
def test_a_budget_of_tokens_ends_between_rounds(served, tmp_path):
    address, sent = served
    questions = write_questions(tmp_path / "q.csv", N)
    limits = ("--tokens", "1500", "--concurrent", "2", "--run", str(tmp_path / "run"))
    done = command(address, "language", "answer", str(questions), "--engine", "openai/student", *limits)
    out, err = done.communicate(timeout=240)
    assert done.returncode == 0, err
    assert "the budget of 1500 tokens is used up" in out
    assert len(sent) == 13  # the first question alone takes 1,560
    assert "1 of 6 questions were answered" in out
