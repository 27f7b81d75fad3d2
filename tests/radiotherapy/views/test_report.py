"""The plans in a run's report: pictures that a browser shows, figures as they were measured, a bounded size."""

from __future__ import annotations

import re
import shutil
import subprocess
from functools import cache
from os import environ
from pathlib import Path
from typing import Any

import pytest

import tgsci as tg
from tests.radiotherapy.cases import small_case
from tgsci.show import report
from tgsci.show.report import Section
from tgsci_radiotherapy.case import save
from tgsci_radiotherapy.goals.table import written
from tgsci_radiotherapy.notice import NOTICE
from tgsci_radiotherapy.plugin import domain
from tgsci_radiotherapy.views.report import sections


@cache
def result(place: str) -> Any:
    """A run of three plans on the small case."""
    path = save(small_case(), Path(place) / "small.zarr")
    problem = domain.problem({"case": str(path), "goals": "tg119-harder"})
    return tg.solve(problem, engine="rules", budget=3, workers=0)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Any:
    return result(str(tmp_path_factory.mktemp("report")))


@pytest.fixture(scope="module")
def shown(run: Any) -> list[Section]:
    return sections(run)


@pytest.mark.slow
def test_the_report_shows_the_plan(run: Any, shown: list[Section]) -> None:
    made = {section.title.partition(",")[0]: section for section in shown}
    assert {
        "Goals of the best plan",
        "Dose-volume histograms",
        "Dose on the image",
        "Dose through the targets",
        "Goals over the plans",
        "Weights and doses over the plans",
        "What was predicted",
        "The best near miss",
        "Robustness within 3 mm and 3% of density",
        "Robustness by scenario",
        "Goals that were not met together",
    } == set(made)
    goals = made["Goals of the best plan"]
    metrics = run.best.feedback.metrics
    assert len(goals.rows) == len(run.loss.bound.goals)
    for row in goals.rows:
        goal = next(g for g in run.loss.bound.goals if g.criterion == row[0])
        assert row[3] == written(goal, metrics[goal.name])
        assert str(row[6]).startswith(("\u2713 ", "~ ", "\u2717 "))  # met in the worst scenario, or not
    assert NOTICE in goals.text
    assert NOTICE in made["Dose-volume histograms"].text
    for section in made.values():
        assert not section.picture or section.alternative


@pytest.mark.slow
def test_predictions_stand_beside_what_came(run: Any, shown: list[Section]) -> None:
    (section,) = (s for s in shown if s.title.startswith("What was predicted"))
    for trial, parent, before, _, predicted, loss, came in section.rows:
        assert float(before) == pytest.approx(run.trials[parent].loss, rel=1e-3)
        assert float(loss) == pytest.approx(run.trials[trial].loss, rel=1e-3)
        assert not predicted or float(predicted)
        assert "predicted" in came or "no goal moved" in came


@pytest.mark.slow
def test_the_page_is_bounded_and_needs_nothing_else(run: Any) -> None:
    html = report.html(run)
    assert len(html) < 3_000_000
    assert "could not be made" not in html
    pictures = re.findall(r'<img class="wide"[^>]*src="(data:[^",;]{1,20})', html)
    assert len(pictures) == 5
    assert not re.search(r'(?:src|href)="https?:', html)


def test_a_run_without_a_plan_has_no_such_section() -> None:
    class Empty:
        best = None
        trials: tuple[Any, ...] = ()

    assert sections(Empty()) == []  # type: ignore[arg-type]


@pytest.mark.slow
def test_a_browser_shows_every_picture(run: Any, tmp_path: Path) -> None:
    """Its size is asked for in the browser: an image that could not be shown has none."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    browser = environ.get("TGSCI_BROWSER") or next(filter(None, map(shutil.which, names)), None)
    if browser is None:
        pytest.skip("no browser here: apt-get install chromium, or set TGSCI_BROWSER")
    page = tmp_path / "report.html"
    script = "addEventListener('load',()=>{for(const i of document.querySelectorAll('img.wide'))i.alt=i.naturalWidth})"
    html = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", report.html(run))
    page.write_text(html.replace("</body>", f"<script>{script}</script></body>"), encoding="utf-8")
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    command += [f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    widths = [int(w) for w in re.findall(r'<img class="wide" alt="(\d+)"', done.stdout)]
    assert len(widths) == 5
    assert min(widths) > 300
