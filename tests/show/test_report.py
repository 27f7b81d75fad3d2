"""The report: a run as one HTML page. What models and files say is on it as text, and nothing but text."""

import base64
import hashlib
import logging
import os
import re
import shutil
import stat
import subprocess
import time
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest

import tgsci as tg
from tgsci.engines.scripted import Scripted
from tgsci.show import report
from tgsci.show.report.text import LongText, LongTexts, as_attribute, as_html, file_name, picture_address

SCRIPT = "<script>document.documentElement.dataset.hacked = 1</script>"
HOSTILE = [
    SCRIPT,
    f"</script></pre></code></details></title></style>{SCRIPT}",
    '"><img src=x onerror="document.documentElement.dataset.hacked = 2">',
    "'><svg onload=document.documentElement.dataset.hacked=3>",
    "--><!-- ]]> &lt; &#60; {{7*7}} ${7*7}",
    '" onfocus="document.documentElement.dataset.hacked=4" autofocus tabindex="1',
    "javascript:document.documentElement.dataset.hacked=5",
    "abc\u202edcba\u202c\u2066x\u2069\u200b\ufeff",
    "bell\x07 escape\x1b[31m nul\x00 half \udc80",
    "Ω≈ç √ 日本語 עברית 🧪 e\u0301",
]
VOID = {"meta", "img", "input", "br"}
EXPECTED = """
html head meta title style body a header p h1 bdi small dl div dt dd main section h2 h3 b br svg path text circle
ul li ol article span code details summary pre img form label select option input output table caption thead tbody
tr th td footer script time
"""


class Page(HTMLParser):
    """A page's elements as (tag, attributes), its text, and whatever was not closed in order."""

    def __init__(self, text):
        super().__init__(convert_charrefs=True)
        self.elements, self.texts, self._open, self.crossed = [], [], [], []
        self.feed(text)
        self.close()
        self.crossed += self._open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        if not self._open or self._open.pop() != tag:
            self.crossed.append(tag)

    def handle_data(self, data):
        if self._open and self._open[-1] not in ("script", "style"):
            self.texts.append(data)

    @property
    def text(self):
        return "".join(self.texts)

    def all(self, tag, **attributes):
        return [a for t, a in self.elements if t == tag and attributes.items() <= a.items()]


class Sizes(tg.Loss):
    """The length of a text. Everything it says is what a text says, and a text may say anything."""

    name = f"size {HOSTILE[1]}"
    units = {"size": f"chars {HOSTILE[2]}"}

    def validate(self, value):
        if value == "refused":
            raise tg.InvalidValue(f"refused {HOSTILE[0]}")
        return value

    def evaluate(self, value):
        if "fail" in value:
            raise tg.MeasurementError(f"it failed {HOSTILE[2]}")
        return tg.Feedback(
            float(len(value)) / 7,
            f"report on {value} {HOSTILE[1]}",
            {"size": len(value), HOSTILE[2]: 1.0},
            {HOSTILE[0]: max(0.0, len(value) - 60)},
            {"pose.sdf": f"pose of {value}", f"../../{HOSTILE[2]}.sdf": b"\x00\xff", "big.bin": b"0" * 300_000},
        )


class Round(tg.Proposer):
    name = HOSTILE[2]

    def __init__(self, *proposals):
        super().__init__()
        self.proposals = proposals

    def ask(self, trials, n, rng):
        done = sum(1 for t in trials if t.round)
        return list(self.proposals[done : done + n])


def problem(**settings):
    defaults = {
        "loss": Sizes(),
        "start": ["a start value, rather long"],
        "rules": Round(tg.Proposal("shorter", "because", 0, "cut"), tg.Proposal("fail", "why not", 1)),
        "task": f"Be short. {HOSTILE[0]}",
        "domain": "toy",
        "config": {"start": ["a start value, rather long"], "key": HOSTILE[1]},
        "name": f"Toy {HOSTILE[0]}",
        "columns": ["size"],
    }
    return tg.Problem(**{**defaults, **settings})


@pytest.fixture(scope="module")
def hostile():
    """A run in which everybody lies in wait, and its page."""
    texts = [*HOSTILE, "refused", "fail", "fail", "\n".join(HOSTILE[:4]), "x" * 50_000]
    proposals = [tg.Proposal(t, f"reason {t}", 0, f"edit {t}") for t in texts]
    run = problem(
        start=["start <b>"],
        rules=Round(*proposals),
        draw=lambda value: f"<svg width='9' height='9'><title>{value}</title>{SCRIPT}</svg>",
    )
    result = tg.solve(run, engine="rules", budget=14, workers=0)
    return result, report.html(result)


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A run with one trial of each state, kept on disk."""
    proposals = [("bb", 0), ("fail", 0), ("bb", 0), ("refused", 0), ("a" * 70, 1), ("c", 1), ("dddd", 5)]
    rules = Round(*(tg.Proposal(value, f"why {value}", parent, f"edit {value}") for value, parent in proposals))
    run = problem(rules=rules, name="Toy", draw=lambda value: f"<svg><text>{len(value)}</text></svg>")
    directory = tmp_path_factory.mktemp("runs") / "run"
    return tg.solve(run, engine="rules", budget=6, workers=0, run=directory)


# -- what is on it -------------------------------------------------------------------------------------


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


def test_the_head_says_what_was_run_and_that_nothing_left(plain):
    text = Page(report.html(plain)).text
    for words in (
        "Toy",
        "Be short.",
        "a start value, rather long",
        "Stopped: the budget of 6 evaluations is used up",
        "Nothing: no model was asked",
        "6 evaluations",
        "no model calls",
        f"tgsci {tg.__version__}",
        "Not for clinical use; nothing here is advice for patients",
    ):
        assert words in text


def test_every_trial_has_a_row_with_its_report(plain):
    html = report.html(plain)
    page = Page(html)
    assert [a["id"] for a in page.all("tbody")] == [f"trial-{t.number}" for t in plain.trials]
    assert {a["data-state"] for a in page.all("tbody")} == {"accepted", "rejected", "failed", "duplicate", "invalid"}
    for trial in plain.trials:
        assert trial.decision in page.text
        if trial.measured:
            assert trial.feedback.text in page.text
    assert html.count("<caption>") == 1
    assert all(a.get("scope") == "col" for a in page.all("th")[: len(plain.columns) + 6])


def test_the_best_come_first_with_their_line_of_descent(plain):
    html = report.html(plain)
    cards = re.findall(r'<article class="card" id="best-(\d+)"', html)
    assert cards == [str(t.number) for t in plain.trials.ranked()]
    first = Page(html.split('<article class="card"')[1])
    assert "Line of descent: 2 steps from the start" in first.text
    assert len(first.all("img")) == 1 + 3
    assert "why c" in first.text
    last = Page(html.split('<article class="card"')[-1].split("</article>")[0]).text
    assert "outside a hard limit" in last
    assert f"Limits broken: {HOSTILE[0]} by 10" in last


def test_the_plot_shows_every_measurement_and_leads_to_it(plain):
    svg = re.search(r'<svg class="plot" viewBox.*?</svg>', report.html(plain), re.DOTALL)[0]
    measured = [t for t in plain.trials if t.feedback]
    points = re.findall(r'<a href="#trial-(\d+)"', svg)
    assert sorted(map(int, points)) == [t.number for t in measured]
    assert svg.count('class="failed"') == 1
    assert svg.count('class="rejected outside"') == 1
    assert svg.count("<circle") == len(measured) - 1
    assert "best-so-far" in svg


@pytest.mark.parametrize(
    "losses",
    [[0.0], [5.0, 5.0], [1e300, -1e300], [1.7e308, -1.7e308], [1e-320, 0.0], [-1.7e308, 1e-300], [1e17, 1e17 + 16]],
)
def test_the_plot_takes_any_losses(losses):
    values = iter(losses)
    rules = Round(*(tg.Proposal(str(i), "", 0) for i in range(1, len(losses))))
    result = tg.minimize(lambda value: next(values), "0", rules, budget=len(losses))
    html = report.html(result)
    assert html.count("<circle") >= len(losses)
    assert not re.search(r'(cx|cy|y|x|d)="[^"]*(nan|inf)', html)


def test_a_run_without_any_measurement_is_a_page_too():
    html = report.html(tg.solve(problem(start=["fail"]), engine="rules", budget=3, workers=0))
    assert not Page(html).crossed
    assert "Nothing could be measured." in html


def test_a_run_at_work_or_killed_is_a_page_too(plain):
    assert report.html(tg.Result.load(plain.directory)) == report.html(tg.Result.load(plain.directory))
    ledger = tg.Ledger.in_memory({})
    html = report.html(tg.Result(ledger))
    assert not Page(html).crossed


def test_model_calls_are_counted_and_what_they_cost_is_not_made_up():
    reply = "<IMPROVED_VARIABLE>b</IMPROVED_VARIABLE>"
    engine = Scripted([tg.Reply(reply, 1200, 34, None, model="some-model <b>")])
    html = report.html(tg.solve(problem(), engine=engine, budget=2, proposals=1, workers=0))
    text = Page(html).text
    assert "1 model calls (1,200 tokens sent, 34 received; price unknown)" in text
    assert "1 prompts, with values and reports in them, went to some-model <b> (1)." in text
    assert "Nothing" not in text
    priced = Scripted([tg.Reply(reply, None, None, 0.25)])
    text = Page(report.html(tg.solve(problem(), engine=priced, budget=2, proposals=1, workers=0))).text
    assert "1 model calls (tokens unknown; 0.2500 USD)" in text


def test_what_a_domain_cannot_draw_costs_only_the_picture():
    def draw(value):
        raise RuntimeError(f"no ink {SCRIPT}")

    html = report.html(tg.solve(problem(draw=draw), engine="rules", budget=3, workers=0))
    assert "no picture: RuntimeError: no ink" in html
    assert len(Page(html).all("script")) == 1


def test_small_artifacts_can_be_saved_and_big_ones_are_named(plain):
    html = report.html(plain)
    saved = [a for a in Page(html).all("a") if "download" in a]
    best = plain.best
    (pose,) = [a for a in saved if a["download"] == f"trial-{best.number}-pose.sdf"]
    assert base64.b64decode(pose["href"].split(",")[1]).decode() == f"pose of {best.value}"
    assert not [a for a in saved if "big" in a["download"]]
    assert "big.bin" in html
    for link in saved:
        assert link["href"].startswith("data:application/octet-stream;base64,")
        assert re.fullmatch(r"trial-\d+-[A-Za-z0-9_-][A-Za-z0-9._-]*", link["download"])


# -- hostile text --------------------------------------------------------------------------------------


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


def test_what_hides_or_reorders_is_spelled_out(hostile):
    _, html = hostile
    for character in "\u202e\u202c\u2066\u2069\u200b\ufeff\x07\x1b\x00\udc80":
        assert character not in html
    assert '<span class="odd">\\u202e</span>' in html
    assert "half \ufffd" in html  # what a trial keeps of half a character
    assert as_html("a\udc80b") == 'a<span class="odd">\\udc80</span>b'
    assert as_attribute("a\u202eb\x00") == "a\\u202eb\\x00"
    assert as_html("two\nlines\tand\u00a0space") == "two\nlines\tand\u00a0space"


def test_pictures_are_images_and_cannot_act(hostile):
    _, html = hostile
    page = Page(html)
    pictures = page.all("img")
    assert pictures
    for picture in pictures:
        assert picture["src"].startswith("data:image/svg+xml,%3Csvg xmlns=")
        assert picture["alt"]
    assert unquote(picture_address("<svg a='\"&<>#%\n\udc80'/>")).endswith("a='\"&<>#%\n?'/>")


def test_long_texts_are_bounded_and_open_in_full():
    texts = LongTexts(room=30_000)
    folded = texts.folded("x" * 12_345, 100)
    assert folded == LongText("x" * 12_345, 0, "x" * 99 + "…", 12_345)
    assert texts.full("x" * 20_000) == LongText("x" * 17_655, 2_345, "", 20_000)
    assert texts.full("x" * 20_000).missing == 20_000
    assert LongTexts().full("y" * 50_000).missing == 30_000
    assert texts.folded("<b>", 3) == LongText("<b>", length=3)


def test_a_long_text_opens_in_full_and_says_what_is_missing():
    values = ["s", "<i>" * 300, "<b>" * 20_000]
    rules = Round(*(tg.Proposal(value, "why", 0) for value in values[1:]))
    html = report.html(tg.minimize(lambda value: float(len(value)), "s", rules, budget=3))
    assert f'<details class="long"><summary>{"&lt;i&gt;" * 133}…' in html
    assert "(900 characters)" in html
    assert "&lt;i&gt;" * 300 in html
    assert "(40,000 more characters are in the record)" in html


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("pose.sdf", "trial-7-pose.sdf"),
        ("../../etc/passwd", "trial-7-_.._etc_passwd"),
        ("C:\\x\\con", "trial-7-C_x_con"),
        ('a"\u202efds.exe', "trial-7-a_fds.exe"),
        ("n" * 500 + ".npy", "trial-7-" + "n" * 76 + ".npy"),
    ],
)
def test_file_names_are_safe_to_save(name, saved):
    assert file_name(7, name) == saved


# -- bounds --------------------------------------------------------------------------------------------


def test_a_run_of_thousands_stays_a_page_that_opens():
    picture = "<svg xmlns='http://www.w3.org/2000/svg'>" + "<path d='M0,0'/>" * 800 + "</svg>"
    rules = Round(*(tg.Proposal("v" * (20 + i % 50) + str(i), "reason " * 20, i - 1) for i in range(1, 3000)))
    result = tg.solve(problem(rules=rules, draw=lambda value: picture), engine="rules", budget=3000, workers=0)
    started = time.process_time()
    html = report.html(result)
    assert time.process_time() - started < 20
    assert len(html) < 12_000_000
    page = Page(html)
    assert len(page.all("tbody")) == 3000
    assert 10 < len(page.all("img")) <= 10 * 13
    assert len([a for a in page.all("a") if "download" in a]) == 2 * 100


# -- files and commands --------------------------------------------------------------------------------


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


# -- in a browser --------------------------------------------------------------------------------------

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


def test_the_browser_runs_our_script_and_has_nothing_to_complain_about(browse, plain):
    document, console = browse(report.html(plain))
    assert '<html lang="en" class="js">' in document
    assert console == []
    assert rows(document) == [t.number for t in plain.trials]
    assert f"{len(plain.trials)} trials</output>" in document


def test_the_browser_sorts_and_what_is_missing_stays_last(browse, plain):
    html = report.html(plain)
    missing = [t.number for t in plain.trials if not t.measured]
    by_loss = [t.number for t in sorted((t for t in plain.trials if t.measured), key=lambda t: t.loss)]
    assert rows(browse(html, "#sort=loss")[0]) == by_loss + missing
    document, console = browse(html, "#sort=-loss")
    assert rows(document) == by_loss[::-1] + missing
    assert console == []
    assert 'aria-sort="descending"' in document


def test_the_browser_opens_the_trial_that_the_address_names(browse, plain):
    document, _ = browse(report.html(plain), "#trial-5")
    assert re.search(r'<tbody id="trial-5".*?<details open="">', document.split('id="trial-6"')[0], re.DOTALL)
    assert '<html lang="en" class="js">' in browse(report.html(plain), "#trial-99%")[0]


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
