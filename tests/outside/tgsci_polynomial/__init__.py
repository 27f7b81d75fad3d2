"""A tiny outside domain: find the x, in metres, with the lowest (x - target)^2."""

import os
import signal
import time
from pathlib import Path

from tgsci import (
    Domain,
    Feedback,
    InvalidValue,
    Loss,
    MeasurementError,
    Option,
    Problem,
    Proposal,
    Proposer,
    UsageError,
)


class Distance(Loss):
    name = "squared distance"
    units = {"x": "m"}
    timeout = 3.0

    def __init__(self, target: float, misbehave: bool = False) -> None:
        self.target, self.misbehave = target, misbehave

    def validate(self, value: str) -> str:
        try:
            x = float(value[:40])
        except ValueError:
            raise InvalidValue(f"{value[:40]!r} is no number") from None
        if not abs(x) < 1e6:
            raise InvalidValue("x must lie between -1e6 and 1e6 m")
        return f"{x:.4f}"

    def evaluate(self, value: str) -> Feedback:
        x = float(value)
        if self.misbehave:
            self._misbehave(value)
        loss = (x - self.target) ** 2
        text = f"x = {x} m gives {loss:.4g} m^2; it should be {'larger' if x < self.target else 'smaller'}"
        return Feedback(loss, text, {"x": x}, artifacts={"x.txt": value})

    def _misbehave(self, value: str) -> None:
        """Every fifth value crashes the process, hangs, or is one that cannot be measured."""
        kind = sum(map(ord, value)) % 15
        if kind == 0:
            os.kill(os.getpid(), signal.SIGSEGV)
        if kind == 5:
            time.sleep(60)
        if kind == 10:
            raise MeasurementError("no ruler at hand")


class Walk(Proposer):
    name = "walk"

    def ask(self, trials, n, rng):
        best = trials.best
        steps = [rng.gauss(0, 0.5) for _ in range(n)]
        return [
            Proposal(f"{float(best.value) + step:.4f}", f"a step of {step:+.2f} m", best.number, "step")
            for step in steps
        ]


class Throw(Proposer):
    """A baseline: anywhere."""

    name = "throw"

    def ask(self, trials, n, rng):
        return [Proposal(f"{rng.uniform(-10, 10):.4f}", "by chance", edit="throw") for _ in range(n)]


class Polynomial(Domain):
    name = "polynomial"
    summary = "find x, in m"

    def problem(self, config):
        for key in config:
            if key not in ("target", "start", "misbehave", "careful"):
                known = "careful, misbehave, start, target"
                raise UsageError(f"unknown key {key!r} for the domain polynomial; there are: {known}")
        if "target" not in config:
            raise UsageError("polynomial needs a target, in m")
        given = str(config.get("start", "0"))
        start = given.replace(",", ".")
        return Problem(
            loss=Distance(float(config["target"]), bool(config.get("misbehave"))),
            start=[start],
            rules=Walk(),
            task="Find the x with the lowest squared distance to a hidden target.",
            domain=self.name,
            config={**config, "start": start},
            name="polynomial",
            notes=[f"The start value {given} is read as {start}."] if start != given else [],
            columns=["x"],
            draw=lambda value: f"<svg><title>{value}</title></svg>",
            export=_export,
            optimizers={"throw": Throw()},
            options=_options,
            finish=_finish if config.get("careful") else None,
        )

    def commands(self):
        import click

        @click.group("polynomial")
        def group():
            pass

        @group.command("square", short_help="square a number", context_settings={"ignore_unknown_options": True})
        @click.argument("x", type=float)
        def square(x):
            print(x**2)

        @group.command("root", short_help="its root", context_settings={"ignore_unknown_options": True})
        @click.argument("x", type=float)
        @click.option("--code", type=int)
        def root(x, code):
            if x < 0:
                raise UsageError(f"{x} has no root")
            print(x**0.5)
            return code

        return group


def _options(trials, n, rng):
    x = float(trials.best.value)
    steps = [sign * size for size in (0.1, 0.2, 0.5, 1.0, 2.0, 4.0) for sign in (1, -1)][:n]
    return [
        Option(f"{x + step:.4f}", f"go {step:+.1f} m", {"x": x + step}, trials.best.number, "go", "a step of the menu")
        for step in steps
    ]


def _finish(result, finishing):
    todo = [t for t in result.trials.ranked()[:3] if t.number not in result.finals]
    for trial, outcome in finishing.each(_again, todo, "measuring the finalists again", timeout=10):
        finishing.keep(trial, outcome if isinstance(outcome, Feedback) else Feedback.failed(str(outcome)))


def _again(trial):
    return Feedback(trial.loss + 0.001, "measured with the good ruler", {"x": float(trial.value)})


def _export(result, directory: Path):
    path = directory / "x.csv"
    path.write_text("\n".join(["x (m)", *(t.value for t in result.trials.ranked())]) + "\n")
    return [path]


domain = Polynomial()
