"""The page in a real browser: its script works, and nothing else runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

import tgsci as tg
from tests.show.report.runs import HOSTILE, SCRIPT, Page, Round, problem
from tgsci.show import report
from tgsci.show.report import Section

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


@pytest.fixture
def browse(tmp_path):
    """Opens a page in a real browser: `browse(html, "#hash") -> (document afterwards, console)`."""
    browser = os.environ.get("TGSCI_BROWSER") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        pytest.skip("no browser here: apt-get install chromium, or set TGSCI_BROWSER")

    def run(html, address="", *options):
        page = tmp_path / "page.html"
        page.write_text(html, encoding="utf-8")
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--enable-logging=stderr", "--v=0", *options]
        command += ["--dump-dom", page.as_uri() + address]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert done.stdout, done.stderr
        return done.stdout, [line for line in done.stderr.splitlines() if "CONSOLE" in line]

    return run


def rows(document):
    return [int(a["id"].removeprefix("trial-")) for a in Page(document).all("tbody")]


@pytest.mark.slow
def test_the_browser_runs_our_script_and_has_nothing_to_complain_about(browse, plain):
    document, console = browse(report.html(plain))
    assert '<html lang="en" class="js">' in document
    assert console == []
    assert rows(document) == [t.number for t in plain.trials]
    assert f"{len(plain.trials)} trials</output>" in document


@pytest.mark.slow
def test_the_browser_sorts_and_what_is_missing_stays_last(browse, plain):
    html = report.html(plain)
    missing = [t.number for t in plain.trials if not t.measured]
    by_loss = [t.number for t in sorted((t for t in plain.trials if t.measured), key=lambda t: t.loss)]
    assert rows(browse(html, "#sort=loss")[0]) == by_loss + missing
    document, console = browse(html, "#sort=-loss")
    assert rows(document) == by_loss[::-1] + missing
    assert console == []
    assert 'aria-sort="descending"' in document


@pytest.mark.slow
def test_the_browser_opens_the_trial_that_the_address_names(browse, plain):
    document, _ = browse(report.html(plain), "#trial-5")
    assert re.search(r'<tbody id="trial-5".*?<details open="">', document.split('id="trial-6"')[0], re.DOTALL)
    assert '<html lang="en" class="js">' in browse(report.html(plain), "#trial-99%")[0]


@pytest.mark.slow
def test_the_browser_runs_nothing_that_hides_in_a_text(browse, hostile):
    _, html = hostile
    document, console = browse(html, "#sort=value")
    assert '<html lang="en" class="js">' in document
    assert "data-hacked" not in document.split(">")[1]
    assert console == []


def test_the_policy_stops_what_would_get_past_the_escaping(browse, plain):
    broken = report.html(plain).replace("<h1>", f"<h1>{SCRIPT}<img src=x onerror='document.title = 1'>", 1)
    document, console = browse(broken)
    assert '<html lang="en" class="js">' in document
    assert len(console) >= 3
    assert any("Content Security Policy" in line for line in console)


def test_the_browser_runs_nothing_that_hides_in_a_section_or_in_what_changed(browse):
    sections = [Section(text, text, HOSTILE, [HOSTILE], f"<svg>{SCRIPT}</svg>", text) for text in HOSTILE]
    rules = Round(tg.Proposal("\n".join(HOSTILE), "why", 0, "edit"))
    run = problem(rules=rules, sections=lambda result: sections)
    document, console = browse(report.html(tg.solve(run, engine="rules", budget=2, workers=0)), "#domain-3")
    assert '<html lang="en" class="js">' in document
    assert "data-hacked" not in document.split(">")[1]
    assert '<pre class="diff">' in document
    assert 'id="domain-10"' in document
    assert console == []
