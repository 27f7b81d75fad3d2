"""The page: it needs nothing else, and what models and files say is text on it, and nothing but text."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
import stat

import tgsci as tg
from tests.show.report.runs import SCRIPT, Page, problem
from tgsci.show import report

EXPECTED = """
html head meta title style body a header p h1 bdi small dl div dt dd main section h2 h3 b br svg path text circle
ul li ol article span code details summary pre img form label select option input output table caption thead tbody
tr th td footer script time
"""


def test_a_page_needs_nothing_else(plain):
    page = Page(report.html(plain))
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data", "xlink:href"):
            assert attributes.get(name, "#").startswith(("#", "data:"))
    assert not {tag for tag, _ in page.elements} & {"link", "iframe", "object", "embed", "base", "video"}
    style = (report.html(plain).split("<style>")[1]).split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style


def test_the_policy_allows_no_script_but_ours(plain):
    html = report.html(plain)
    (policy,) = [a["content"] for a in Page(html).all("meta") if a.get("http-equiv") == "Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1].split(";")[0]
    assert html.index("Content-Security-Policy") < html.index("<title>")


def test_a_run_without_any_measurement_is_a_page_too():
    html = report.html(tg.solve(problem(start=["fail"]), engine="rules", budget=3, workers=0))
    assert not Page(html).crossed
    assert "Nothing could be measured." in html


def test_a_run_at_work_or_killed_is_a_page_too(plain):
    assert report.html(tg.Result.load(plain.directory)) == report.html(tg.Result.load(plain.directory))
    ledger = tg.Ledger.in_memory({})
    html = report.html(tg.Result(ledger))
    assert not Page(html).crossed


def test_hostile_texts_become_no_elements(hostile):
    _, html = hostile
    page = Page(html)
    assert not page.crossed
    assert len(page.all("script")) == 1
    assert not [(t, a) for t, a in page.elements if any(name.startswith("on") or name == "autofocus" for name in a)]
    assert {tag for tag, _ in page.elements} <= set(EXPECTED.split())
    html.encode()  # no half characters


def test_hostile_texts_are_readable_as_what_they_are(hostile):
    result, html = hostile
    text = Page(html).text
    for trial in result.trials:
        if trial.value.isprintable() and len(trial.value) < 100:
            assert trial.value in text
    assert f"reason {SCRIPT}" in text


def test_solve_leaves_a_report_that_colleagues_can_read(plain):
    path = plain.directory / "report.html"
    assert plain.files == [path]
    assert path.read_text(encoding="utf-8") == report.html(plain)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert {p.name for p in plain.directory.iterdir()} <= {"run.db", "run.db-wal", "run.db-shm", "run.lock", path.name}


def test_files_that_cannot_be_written_do_not_cost_the_result(tmp_path, caplog):
    def export(result, directory):
        raise OSError(28, "No space left on device", "poses.sdf")

    (tmp_path / "run" / "report.html").mkdir(parents=True)
    with caplog.at_level(logging.WARNING, "tgsci"):
        result = tg.solve(problem(export=export), engine="rules", budget=3, workers=0, run=tmp_path / "run")
    assert result.best.value == "shorter"
    assert result.files == []
    export_failed, report_failed = (record.getMessage() for record in caplog.records)
    assert "could not write poses.sdf: No space left on device; nothing measured is lost" in export_failed
    assert "report.html" in report_failed
    assert not list(tmp_path.rglob(".report*"))


def test_the_command_writes_the_page_again(tgsci, tmp_path):
    (tmp_path / "job.toml").write_text('domain = "polynomial"\n[polynomial]\ntarget = 3.0\n[budget]\nevaluations = 8\n')
    done = tgsci("run", "job.toml", "--run", "r", "--workers", "1")
    assert "wrote r/report.html" in done.stdout
    first = (tmp_path / "r" / "report.html").read_text()
    assert "x (m)" in first
    (tmp_path / "r" / "report.html").unlink()
    assert tgsci("runs", "report", "r").stdout == "wrote r/report.html\n"
    assert (tmp_path / "r" / "report.html").read_text() == first
    assert tgsci("runs", "report", "r", "--output", "sent.html").stdout == "wrote sent.html\n"
    assert (tmp_path / "sent.html").read_text() == first
    nowhere = tgsci("runs", "report", "r", "--output", "no/such/place.html")
    assert nowhere.returncode == 1
    assert nowhere.stderr.startswith("tgsci: cannot write 'no/such/place.html' (No such file or directory); ")
    assert "--output" in nowhere.stderr
    assert tgsci("runs", "report", "nowhere").returncode == 2
