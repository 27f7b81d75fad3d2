"""Plans and cases in Jupyter."""

from __future__ import annotations

from functools import cache
from html.parser import HTMLParser
from typing import Any

import numpy as np
import pytest

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tgsci.errors import UsageError
from tgsci.feedback import Feedback
from tgsci.search.trial import State, Trial, Trials
from tgsci_radiotherapy import (
    NOTICE,
    PlanLoss,
    RuleEditor,
    look,
    plans,
    read_plan,
    read_sheet,
    sensitivities,
    show,
)
from tgsci_radiotherapy.loss.effects import effects_of

HOSTILE = "<script>alert(1)</script>\"'"


@cache
def result() -> Any:
    """Two plans of the small case."""
    loss = PlanLoss(small_case(), "tg119-easier", implied=False)
    other = loss.start.replaced(1, weight=700.0).text()
    return tg.minimize(loss, [loss.start.text(), other], RuleEditor(), budget=2, workers=0)


class Tags(HTMLParser):
    """Which elements stand in a page, with their attributes, and its text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += f"{data}\n"


def harmless(page: str) -> Tags:
    """The page, known to have nothing in it that acts or loads."""
    tags = Tags(page)
    assert not [tag for tag, _ in tags.found if tag in ("script", "iframe", "object", "link", "style")]
    assert not [name for _, attributes in tags.found for name in attributes if name.startswith("on")]
    assert all(str(a["src"]).startswith("data:image/png;base64,") for tag, a in tags.found if tag == "img")
    return tags


def test_a_case_is_shown_with_its_structures_and_its_image() -> None:
    page = harmless(look(small_case())._repr_html_())
    assert {"PTV", "Core", "Body", "target", "oar", "external"} <= set(page.text.splitlines())
    assert [tag for tag, _ in page.found].count("img") == 1
    assert "50 Gy in 25 fractions" in repr(look(small_case()))


def test_a_plan_is_shown_whatever_form_it_has() -> None:
    case, sheet, best = small_case(), read_sheet("tg119-easier"), result().best
    file = read_plan(best.feedback.artifacts["plan.json"])
    dose = file.dose(case)
    texts = {repr(show(plan, sheet, case, wash=False)) for plan in (best, file, dose)}
    assert len(texts) == 1
    page = harmless(show(best, sheet.bind(case), case, against={HOSTILE: result().trials[0]})._repr_html_())
    assert [tag for tag, _ in page.found].count("img") == 2
    assert NOTICE in page.text


@pytest.mark.parametrize("plan", [None, "plan", np.ones(3), np.ones(len(small_case().voxels), int)])
def test_what_is_no_plan_is_refused(plan: Any) -> None:
    with pytest.raises(UsageError, match=r"neither a plan nor a dose with \d+ figures"):
        show(plan, read_sheet("tg119-easier"), small_case())


def test_a_trial_without_a_plan_says_why() -> None:
    failed = Trial(7, 1, "{}", state=State.INVALID)
    with pytest.raises(UsageError, match="trial 7 has no plan: it was invalid"):
        show(failed, read_sheet("tg119-easier"), small_case())
    with pytest.raises(UsageError, match="trial 7 has no sensitivities: it was invalid"):
        sensitivities(failed)


def test_the_plans_of_a_run_stand_beside_each_other() -> None:
    shown = plans(result(), top=2)
    page = harmless(shown._repr_html_())
    for trial in result().trials:
        assert f"trial {trial.number}" in page.text
        for value in trial.feedback.metrics.values():
            assert f"{value:.2f}" in page.text or value in (
                trial.feedback.metrics[n] for n in ("objective", "gap", "goals met")
            )
    green = [a for tag, a in page.found if tag == "td" and "#dcf3e4" in str(a.get("style"))]
    assert len(green) == sum(t.feedback.metrics["goals met"] for t in result().trials)


def test_a_hostile_reason_is_text() -> None:
    copy = tg.Result.__new__(tg.Result)
    copy.__dict__.update(vars(result()))
    feedback = Feedback(-9.0, HOSTILE, {"PTV D95%": float("nan")})
    hostile = Trial(2, 9, HOSTILE, reason=HOSTILE, state=State.ACCEPTED, feedback=feedback)
    copy.trials = Trials([*result().trials, hostile], result().trials.loss)
    assert HOSTILE in harmless(plans(copy)._repr_html_()).text


def test_sensitivities_are_those_of_the_trial() -> None:
    trial = result().trials[0]
    effects = effects_of(trial)
    assert effects is not None
    page = harmless(sensitivities(trial)._repr_html_())
    cells = page.text.splitlines()
    for i in range(len(effects.results)):
        for value in (*effects.per_doubling[i], *effects.per_gray[i]):
            assert np.isnan(value) or f"{value:+.2f}" in cells
    helps = effects.results[0].goal.sign * effects.per_doubling[0, 0] > 0
    first = next(a for tag, a in page.found if tag == "td" and "rgba" in str(a.get("style")))
    assert ("46,160,67" in str(first["style"])) == helps


def test_another_domains_run_is_refused() -> None:
    copy = tg.Result.__new__(tg.Result)
    copy.__dict__.update(vars(result()))
    copy.trials, copy.problem = Trials([], None), None
    with pytest.raises(UsageError, match="not a radiotherapy run"):
        plans(copy)
