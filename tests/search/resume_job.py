"""One run, as a process that the tests may kill: `resume_job.py RUN LOG WORKERS PROPOSER`.

Every value that was measured and every question that was answered is appended to a file at once.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.search.team import Team

EVALUATIONS = 26


def log(path: str, line: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.write(file, f"{line}\n".encode())
    os.close(file)


class Slow(tg.Loss):
    """Far from 500 is bad; multiples of seven cannot be measured; odd hundreds break a limit."""

    name = "distance"
    units = {"x": "mm"}

    def __init__(self, path: str, seconds: float) -> None:
        self.path, self._seconds = path, seconds

    def validate(self, value):
        if not value.strip().isdigit():
            raise tg.InvalidValue("digits only")
        return str(int(value))

    def evaluate(self, value):
        time.sleep(self._seconds)
        x = int(value)
        log(self.path, f"value {value}")
        if x % 7 == 0:
            raise tg.MeasurementError(f"no convergence at {x}")
        return tg.Feedback(
            abs(x - 500) / 3,
            f"{x} is {abs(x - 500)} from where it should be",
            {"x": x / 7, "unknown": float("nan")},
            {"odd hundreds": float(x // 100 % 2)},
            {"pose.sdf": bytes([x % 256]) * 50, "note.txt": f"note on {x}"},
        )


class Walk(tg.Proposer):
    """Proposes numbers near the best, by chance; now and then nonsense, or what was there before."""

    name = "walk"

    def ask(self, trials, n, rng):
        best = trials.best
        around = int(best.value)
        values = [str(abs(around + rng.randint(-60, 60))) for _ in range(n)]
        if rng.random() < 0.3:
            values[-1] = rng.choice(["nonsense", trials[0].value])
        return [tg.Proposal(v, f"near {best.loss!r}", best.number, "shift") for v in values]


class Careful(Slow):
    """What is measured with care is a little worse; now and then it cannot be."""

    def evaluate(self, value):
        time.sleep(self._seconds)
        log(self.path, f"careful {value}")
        x = int(value)
        if x % 5 == 0:
            raise tg.MeasurementError(f"too long at {x}")
        return tg.Feedback(abs(x - 500) / 3 + x % 11, f"{x} with care", artifacts={"pose.sdf": bytes([x % 256])})


class Thinker(tg.Proposer):
    """Asks an engine ahead; all that it sees is in the prompt."""

    name = "thinker"
    ahead = True

    def __init__(self, engine):
        self.engine = engine

    def ask(self, trials, n, rng):
        shown = [(t.number, t.value, t.state.value, t.decision, t.loss, t.contrast) for t in (*trials, *trials.pending)]
        ideas = [(i.proposal.value, i.rank, i.why, i.outlook) for i in trials.ideas]
        prompt = repr([n, trials.proposals, trials.evaluations_left, len(trials.pending), shown, ideas, rng.random()])
        return [
            tg.Proposal(word, "thought of", trials.best.number, expected=1.5, role="new")
            for word in self.engine(prompt).text.split()
        ]


class Answers(Scripted):
    """Answers with numbers that follow from the prompt, one of them no number; the log tells what was answered."""

    def __init__(self, path):
        super().__init__(lambda prompt, system: self.numbers(prompt), seconds=0.03, name="answers")
        self.path = path

    def numbers(self, prompt):
        seed = int(hash_of(prompt), 16)
        log(self.path, f"asked {hash_of(prompt)}")
        return tg.Reply(" ".join([*(str(seed // 1009**k % 1000) for k in range(5)), "x"]), 7, 5, 0.001)


def predict(trials, values):
    if len(trials) < 8:
        raise tg.MeasurementError("too few trials")
    nearest = [min(trials.ranked(5), key=lambda t, v=value: abs(int(t.value) - int(v))) for value in values]
    return [tg.Outlook(t.loss, abs(int(t.value) - int(v)) / 9) for t, v in zip(nearest, values, strict=True)]


def insight(path):
    return tg.Insight(
        family=lambda value: f"{int(value) // 100} hundreds",
        contrast=lambda parent, child: f"from {parent.value} to {child.value}",
        predict=predict,
        careful=tg.Careful(Careful(path, 0.02), share=0.3),
    )


class Logged(Scripted):
    def __init__(self, replies, path):
        super().__init__(replies, seconds=0.02, name="script")
        self.path = path

    def complete(self, prompt, system="", images=()):
        reply = super().complete(prompt, system, images)
        log(self.path, f"asked {hash_of(prompt)}")
        return reply


def hash_of(text: str) -> str:
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def replies() -> list[tg.Reply]:
    """Three values a reply; now and then one is missing, nonsense or known, or there is none at all."""
    lines = []
    for i in range(40):
        values = [900 - 37 * i, 480 + 11 * i, 13 * i]
        text = "\n".join(
            f"<REASON_{k}>try {v}</REASON_{k}><IMPROVED_VARIABLE_{k}>{v}</IMPROVED_VARIABLE_{k}>"
            for k, v in enumerate(values, 1)
        )
        if i % 5 == 1:
            text = text.replace("</IMPROVED_VARIABLE_2>", "")
        if i % 5 == 2:
            text = "<REASON>one</REASON><IMPROVED_VARIABLE>x y</IMPROVED_VARIABLE>"
        lines.append(tg.Reply(text, tokens_in=100 + i, tokens_out=i, usd=0.001 * i))
    return lines


def main(run: str, path: str, workers: str, proposer: str) -> None:
    thinker = Thinker(Answers(path))
    optimizers = {
        "walk": Walk,
        "model": lambda: tg.TGD(engine=Logged(replies(), path)),
        "ahead": lambda: thinker,
        "team": lambda: Team([thinker, Walk()]),
    }
    print("begins", flush=True)
    result = tg.minimize(
        Slow("LOG" if path == "-" else path, 0.02),
        ["950", "20"],
        optimizers[proposer](),
        insight=insight("LOG" if path == "-" else path) if proposer in ("ahead", "team") else None,
        ideas=6,
        budget=EVALUATIONS,
        proposals=3,
        seed=3,
        workers=int(workers),
        run=run,
        task="find the number",
    )
    print(f"ended: {result.stopped}", flush=True)


if __name__ == "__main__":
    Path(sys.argv[1]).parent.mkdir(parents=True, exist_ok=True)
    main(*sys.argv[1:])
