"""What a person sees while a run works, and tables of trials."""

from __future__ import annotations

import io

from rich.console import Console

import tgsci as tg
from tgsci.show.progress import LiveProgress, trial_table


class Rounds(tg.Proposer):
    def ask(self, trials, n, rng):
        return [tg.Proposal(value, "why") for value in ("bb", "[bold]fail", "bbbb", "b\x1b[31m")[len(trials) - 1 :]][:n]


class Length(tg.Loss):
    units = {"length [/cm]": "cm"}

    def evaluate(self, value):
        if "fail" in value:
            raise tg.MeasurementError("no [bold]figure")
        return tg.Feedback(float(len(value)), "", {"length [/cm]": len(value), "half": len(value) / 2})


def watched(console, **options):
    columns = ["length [/cm]", "half"]
    with LiveProgress(columns, Length.units, console, **options) as progress:
        return tg.minimize(Length(), "aaa", Rounds(), budget=5, proposals=2, progress=progress)


def test_a_log_gets_a_line_a_trial_with_nothing_that_acts():
    console = Console(file=io.StringIO(), width=80)
    watched(console)
    lines = console.file.getvalue().splitlines()
    trials = [line for line in lines if "trial " in line]
    assert len(trials) == 5
    assert "trial 0 accepted: aaa  loss 3.000  length [/cm] 3.000  half 1.500" in trials[0]
    assert "trial 2 failed: [bold]fail  " in trials[2]
    assert "no [bold]figure" in trials[2]
    assert "b\\x1b[31m" in trials[4]
    assert "\x1b" not in console.file.getvalue()


class Facing(Length):
    def in_words(self, name, value):
        return "only half" if name == "half" and value < 2 else ""


def test_a_figure_that_misleads_is_told_in_the_words_of_its_loss():
    lines, screen = Console(file=io.StringIO(), width=80), Console(file=io.StringIO(), width=100, force_terminal=True)
    for console in (lines, screen):
        with LiveProgress(["half"], {}, console, in_words=Facing().in_words) as progress:
            result = tg.minimize(Facing(), "aaaa", Rounds(), budget=2, progress=progress)
    assert "aaaa  loss 4.000  half 2" in lines.file.getvalue()
    assert "bb  loss 2.000  half only half" in lines.file.getvalue()
    assert "only half" in screen.file.getvalue()
    assert "half only half" in result.summary()
    table = trial_table(list(result.trials), ["half"], {}, in_words=result.in_words)
    assert list(map(str, table.columns[3].cells)) == ["2", "only half"]


def test_a_terminal_gets_the_latest_trials_the_best_and_how_far_it_is():
    console = Console(file=io.StringIO(), width=100, force_terminal=True)
    result = watched(console)
    screen = console.file.getvalue()
    assert "5/5 evaluations" in screen
    assert "length [/cm]" in screen
    assert result.best.value == "bb"


def test_a_closed_pipe_does_not_cost_the_run():
    class Closed(io.StringIO):
        def write(self, text):
            raise BrokenPipeError(32, "Broken pipe")

    assert len(watched(Console(file=Closed(), width=80)).trials) == 5


def test_a_figure_is_shown_whole_or_its_column_not_at_all():
    result = watched(Console(quiet=True))
    console = Console(file=io.StringIO(), width=50)
    columns = [*result.columns, "missing"]
    console.print(trial_table(list(result.trials), columns, result.units, best=result.best, width=50))
    text = console.file.getvalue()
    assert "no room for: half, missing" in text
    assert "3.000" in text
    assert all(len(line) <= 50 for line in text.splitlines())


def test_where_trials_come_from_has_columns_where_there_is_room_and_something_to_see():
    def trial(number, proposer, **more):
        return tg.Trial(number, number, "v" * number, proposer=proposer, feedback=tg.Feedback(float(number)), **more)

    start = trial(0, "you")
    one = trial(1, "rules", expected=1.5)
    two = trial(2, "a model of a very long name", first=tg.Feedback(1.25), role="new")

    def shown(*trials, width=100):
        console = Console(file=io.StringIO(), width=width)
        console.print(trial_table(trials, [], {}, width=width))
        return console.file.getvalue()

    table = shown(start, one, two)
    assert all(word in table for word in ("expected", "1.500", "first", "1.250", "by", "rules", "a model of a ve"))
    assert "you" not in table
    assert "by" not in shown(start, trial(1, "rules"))
    assert "no room for: first, by" in shown(start, one, two, width=44)


def test_a_line_of_the_log_says_who_proposed_and_what_was_expected():
    class Told(tg.Proposer):
        name = "teller"

        def ask(self, trials, n, rng):
            return [tg.Proposal("bb", "why", 0, expected=1.0, role="refine")]

    console = Console(file=io.StringIO(), width=80)
    with LiveProgress([], {}, console) as progress:
        tg.minimize(Length(), "aaa", Told(), budget=2, proposals=1, progress=progress)
    assert "(by teller, to refine; expected 1.000, got 2.000)" in console.file.getvalue()
