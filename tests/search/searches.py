"""Searches of any length, made up: for tests of what a model sees of them."""

from __future__ import annotations

import random
import string

import tgsci as tg
from tgsci.search.insight import Insight
from tgsci.search.trial import Idea, Outlook

ROUND = 4


class Binding(tg.Loss):
    """A made-up score of a SMILES-like word."""

    name = "binding"
    units = {"vina": "kcal/mol"}

    def validate(self, value):
        value = value.strip()
        if not value or any(c.isspace() for c in value):
            raise tg.InvalidValue("one word")
        return value

    def evaluate(self, value):
        raise NotImplementedError("these searches are made up")


INSIGHT = Insight(
    key_columns=("vina", "QED"),
    family=lambda value: f"ring {value[0]}",
    change=lambda parent, child: f"{parent[-1]} to {child[-1]}" if parent[0] == child[0] else "",
    limiting=lambda feedback: "QED" if feedback.metrics.get("QED", 1.0) < 0.5 else "",
)


def search(count, *, insight=INSIGHT, report=60, families=6, seed=1, **view):
    """A search of so many trials, four a round; some fail, all have a report of so many lines."""
    chance, best, trials = random.Random(seed), 0.0, []
    for number in range(count):
        round = (number + ROUND - 1) // ROUND
        value = f"{string.ascii_lowercase[chance.randrange(families)]}{number}(=O)Nc1ccccc1{chance.choice('FClBrI')}"
        parent = chance.randrange(number) if number and chance.random() < 0.8 else None
        if number and chance.random() < 0.05:
            state, feedback = tg.State.FAILED, tg.Feedback.failed("no conformer")
        else:
            loss = -2.0 if not number else -5 - 4 * (1 - 2 ** (-number / 40)) + chance.gauss(0, 0.7)
            state, best = (tg.State.ACCEPTED if loss < best else tg.State.REJECTED), min(best, loss)
            text = f"REPORT ON {value}\n" + "\n".join(f"{value} line {i}: Leu83 -0.81 kcal/mol" for i in range(report))
            feedback = tg.Feedback(loss, text, {"vina": loss + 0.3, "QED": chance.random()})
        trials.append(
            tg.Trial(
                number, round, value, "because", parent, proposer="scripted", state=state, feedback=feedback,
                decision="no conformer" if state is tg.State.FAILED else "judged",
                expected=feedback.loss - chance.gauss(0.4, 0.5) if number and feedback.measured else None,
                role=chance.choice(["refine", "combine", "new"]) if number else "",
                contrast="pose kept; hydrogen bond to Leu83 lost" if parent is not None else "",
            )
        )  # fmt: skip
    return tg.Trials(trials, Binding(), "Design a binder.", insight=insight, **{"proposals": ROUND, **view})


def idea(value, rank=1, why="what was measured promised more", loss=-7.5):
    """An idea that waits."""
    return Idea(tg.Proposal(value, "because", expected=-8.0), "scripted", 3, Outlook(loss, 0.5), rank, why)
