"""A run of code that is killed goes on, and no call is paid twice."""

from __future__ import annotations

import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import pytest

from tgsci import load

SCRIPT = """
import json, sys, time
from pathlib import Path

import tgsci as tg
from tests.language.code.proposers import reply
from tests.language.code.tasks import AREA, WRONG_AREA
from tgsci_language import domain

run, paid, slow = Path(sys.argv[1]), Path(sys.argv[2]), float(sys.argv[3])


def engine(prompt, system=""):
    number = len(paid.read_text().splitlines()) if paid.exists() else 0
    with paid.open("a") as file:
        file.write(json.dumps(prompt) + "\\n")
    code = AREA if number == 5 else f"def area(w, h):\\n    return w - h - {number}\\n"
    time.sleep(slow)
    return reply(prompt, [(f"try {number}", code)])


problem = domain.problem({
    "kind": "code", "signature": "def area(w, h)", "statement": "The area.", "visible": ["area(2, 3) == 6"],
    "hidden": ["area(5, 5) == 25"], "seconds": 1.0,
})
result = tg.solve(problem, engine=engine, budget=20, workers=0, proposals=1, run=run)
print(json.dumps([result.best.value, result.best.loss, len(result.trials), result.spent.model_calls]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", [1, 3])
def test_a_killed_run_goes_on_and_pays_nothing_twice(
    tmp_path: Path, start_script: Callable[..., Popen[str]], after: int
) -> None:
    run, paid = tmp_path / "run", tmp_path / "paid.jsonl"
    killed = start_script(SCRIPT, str(run), str(paid), "0.3")
    deadline = time.monotonic() + 60
    while not (paid.exists() and len(paid.read_text().splitlines()) > after) and time.monotonic() < deadline:
        time.sleep(0.02)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    before = [json.loads(line) for line in paid.read_text().splitlines()]
    assert len(before) > after
    again = start_script(SCRIPT, str(run), str(paid), "0")
    out, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    value, loss, trials, calls = json.loads(out.splitlines()[-1])
    assert "w * h" in value
    assert loss == 0.0
    prompts = [json.loads(line) for line in paid.read_text().splitlines()]
    lost = 1  # the call that was under way when the process was killed was never answered
    assert calls >= len(prompts) - lost
    assert len(set(prompts)) >= len(prompts) - lost, "no question was asked again whose answer was recorded"
    result = load(run)
    assert len(result.trials) == trials
    assert result.finals[result.best.number].metrics == {"hidden tests passed": 1.0} if result.best else False
