"""A team: one pool, who proposed is recorded, places follow success, and nonsense costs little."""

from __future__ import annotations

import random
import statistics

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.search.team import Team

TARGET = "qhvbzkprmxcj"


class Letters(tg.Loss):
    """How far twelve letters are from those that are looked for."""

    name = "distance"

    def validate(self, value):
        value = value.strip()
        if len(value) != len(TARGET) or not value.isalpha() or not value.islower() or not value.isascii():
            raise tg.InvalidValue("twelve letters from a to z")
        return value

    def evaluate(self, value):
        return tg.Feedback(float(sum(abs(ord(a) - ord(b)) for a, b in zip(value, TARGET, strict=True))), "letters")


class Rules(tg.Proposer):
    """Moves a letter of one of the best."""

    name = "rules"

    def ask(self, trials, n, rng):
        best = trials.ranked(3)
        proposals = []
        for _ in range(n):
            parent = best[rng.randrange(len(best))]
            letters = list(parent.value)
            at = rng.randrange(len(letters))
            letters[at] = chr(min(122, max(97, ord(letters[at]) + rng.choice([-3, -2, -1, 1, 2, 3]))))
            proposals.append(tg.Proposal("".join(letters), "a letter moved", parent.number))
        return proposals


class Talker(tg.Proposer):
    """A model that talks nonsense: nothing usable ever, or valid values that are worth nothing."""

    name = "talker"
    ahead = True

    def __init__(self, says):
        self.engine = Scripted(lambda prompt, system: "I see.")
        self.says = says

    def ask(self, trials, n, rng):
        self.engine(f"round {len(trials)}")
        if self.says == "nothing usable":
            return [tg.Proposal("", fault="no complete value in the reply") for _ in range(n)]
        return [tg.Proposal("".join(rng.choice("az") for _ in TARGET), "why not", 0) for _ in range(n)]


class Knows(Talker):
    """Comes nearer with every idea."""

    name = "knows"

    def __init__(self):
        super().__init__("")

    def ask(self, trials, n, rng):
        ideas, value = [], list(trials.best.value)
        for _ in range(n):
            at = rng.randrange(len(TARGET))
            value[at] = TARGET[at]
            ideas.append(tg.Proposal("".join(value), "nearer", trials.best.number))
        return ideas


def search(proposer, seed=0, budget=60, **more):
    return tg.minimize(Letters(), "a" * len(TARGET), proposer, budget=budget, proposals=4, seed=seed, **more)


def gained(proposer, seeds, budget=100):
    results = [search(proposer(), seed, budget) for seed in range(seeds)]
    return statistics.mean(result.trials[0].loss - result.best.loss for result in results)


@pytest.mark.slow
@pytest.mark.parametrize("says", ["nothing usable", "worthless"])
def test_a_model_that_talks_nonsense_costs_at_most_a_tenth_of_what_rules_alone_reach(says):
    alone = gained(Rules, 24)
    assert gained(lambda: Team([Talker(says), Rules()]), 24) >= 0.9 * alone


def test_a_model_that_knows_gets_the_places_and_the_team_gains():
    result = search(Team([Knows(), Rules()]), budget=30)
    places = [t.proposer for t in result.trials if t.measured and t.round]
    assert places.count("knows") > 1.5 * places.count("rules")
    assert places.count("rules") >= result.trials[-1].round // 4
    assert result.best.loss < search(Rules(), budget=30).best.loss / 2


def test_who_proposed_is_recorded_with_each_trial(tmp_path):
    result = search(Team([Talker("nothing usable"), Rules()]), run=tmp_path, budget=12)
    assert {t.proposer for t in result.trials} == {"you", "talker", "rules"}
    assert {t.proposer for t in result.trials if t.state is tg.State.INVALID} == {"talker"}
    assert [t.proposer for t in tg.Result.load(tmp_path).trials] == [t.proposer for t in result.trials]
    assert result.sessions[0].proposer == "talker + rules"
    assert result.spent.evaluations == 12


def test_a_team_has_the_same_trials_each_time_here_and_in_workers():
    def run(**more):
        return [(t.value, t.proposer, t.decision) for t in search(Team([Knows(), Rules()]), budget=30, **more).trials]

    assert run() == run() == run(workers=2)


def trial(number, round, proposer, loss, state=tg.State.REJECTED):
    return tg.Trial(number, round, f"v{number}", proposer=proposer, state=state, feedback=tg.Feedback(loss))


def test_shares_follow_what_the_places_brought():
    team = Team([Talker(""), Rules()])
    start = tg.Trials([trial(0, 0, "you", 9.0, tg.State.ACCEPTED)])
    assert team.shares(start) == {"talker": 0.5, "rules": 0.5}
    assert sorted(team.turns(start, 4)) == ["rules", "rules", "talker", "talker"]
    for number in range(1, 13):
        round, rules = (number + 3) // 4, number % 2
        state = tg.State.ACCEPTED if rules else tg.State.REJECTED
        start.append(trial(number, round, "rules" if rules else "talker", 9.0 - number if rules else 20.0, state))
    shares = team.shares(start)
    assert shares["rules"] > 0.8
    assert sum(shares.values()) == pytest.approx(1)
    for number in range(13, 25):
        start.append(trial(number, (number + 3) // 4, "rules", 0.0))
    assert team.turns(start, 4)[0] == "talker", "each keeps a place at least once in four rounds"
    assert team.turns(start, 1) == ["talker"]


def test_whoever_has_no_idea_has_no_turn_and_the_others_fill_the_round():
    team = Team([Talker(""), Rules()])
    start = tg.Trials([trial(0, 0, "you", 9.0, tg.State.ACCEPTED)])
    assert team.turns(start, 4, {"rules"}) == ["rules"] * 4
    assert team.turns(start, 4, {"somebody before"}) == []
    result = search(Team([Talker("nothing usable"), Rules()]), budget=29)
    assert result.trials[-1].round <= 12, "not twice as many rounds, of two values each"


def test_a_team_is_a_proposer_too():
    team = Team([Talker("worthless"), Rules()])
    trials = tg.Trials([trial(0, 0, "you", 9.0)], Letters())
    trials.update(tg.Trial(0, 0, "a" * 12, feedback=tg.Feedback(1.0)))
    asked = team.ask(trials, 3, random.Random(1))
    assert [p.reason for p in asked] == ["why not", "a letter moved", "why not"]
    assert team.ahead
    assert team.engine is team.members[0].engine
    assert team.name == "talker + rules"


def test_a_team_that_is_none_is_refused():
    with pytest.raises(tg.UsageError, match="at least one member"):
        Team([])
    with pytest.raises(tg.UsageError, match="names of their own"):
        Team([Rules(), Rules()])
    with pytest.raises(tg.UsageError, match="not a proposer"):
        Team(["rules"])


def test_an_engine_that_fails_stops_the_team_and_it_goes_on_from_there(tmp_path):
    class Fails(Talker):
        def __init__(self, answers):
            super().__init__("worthless")
            self.engine = Scripted(answers)

    with pytest.raises(tg.EngineError, match="no network"):
        search(Team([Fails(["a", "b", tg.EngineError("no network")]), Rules()]), run=tmp_path)
    whole = search(Team([Fails(lambda p, s: "a"), Rules()]))
    again = search(Team([Fails(lambda p, s: "a"), Rules()]), run=tmp_path)
    assert [(t.value, t.proposer) for t in again.trials] == [(t.value, t.proposer) for t in whole.trials]
