"""Short runs, and plans that were never solved."""

from __future__ import annotations

import numpy as np

from tests.radiotherapy.goal_results import goal_result
from tgsci import minimize
from tgsci.feedback import Feedback
from tgsci.runs.result import Result
from tgsci.search.proposer import Proposer
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy.loss import PlanLoss
from tgsci_radiotherapy.loss.effects import Effects
from tgsci_radiotherapy.plan import Objective, PlanParameters

#: Goals that the small case can meet, but not from the start.
REACHABLE = (
    'goals = ["PTV D95% >= 47 Gy", "PTV D10% <= 55 Gy", "Core D10% <= 28 Gy, priority 2"]\n[prescription]\nPTV = 50\n'
)

#: A plain start, one objective a structure, that leaves a rule editor something to do.
PLAIN = PlanParameters(
    (
        Objective("PTV", "squared_deviation", 51.5, 100.0),
        Objective("Core", "squared_overdose", 24.57, 100.0),
        Objective("Body", "squared_overdose", 30.0, 100.0),
    )
)


def run(loss: PlanLoss, optimizer: Proposer, budget: int, **options: object) -> Result:
    settings = {"goal": 0.0, "proposals": 1, **options}
    return minimize(loss, [loss.start.text()], optimizer, budget=budget, **settings)  # type: ignore[arg-type]


def begun(loss: PlanLoss) -> Trials:
    text = loss.start.text()
    return Trials([Trial(0, 0, text, state=State.ACCEPTED, feedback=loss.measure(text))], loss)


def plan(number: int, parent: int | None, weight: float, value: float, slope: float = 2.0) -> Trial:
    """A plan with one goal, PTV D95% >= 50, and one weight besides the body's, which moves it by so much a doubling."""
    objectives = (
        Objective("PTV", "squared_deviation", 50.0, weight),
        Objective("Core", "squared_overdose", 20.0, 100.0),
        Objective("Body", "squared_overdose", 30.0, 100.0),
    )
    found = Effects(
        PlanParameters(objectives),
        (goal_result("PTV D95% >= 50 Gy", value),),
        np.array([[slope, -slope / 2, -slope / 2]]),
        np.zeros((1, 3)),
        (),
        np.zeros((1, 0)),
    )
    feedback = Feedback(max(0.0, 50 - value), artifacts={"sensitivities.json": found.text()})
    return Trial(number, number, PlanParameters(objectives).text(), parent=parent, feedback=feedback)
