"""The page: head, plot, the best trials, all trials. Plain strings; `text` is the only way in for what others wrote."""

from __future__ import annotations

import base64
from hashlib import sha256
from importlib.resources import files

from ...runs.result import Result
from .facts import facts, headline, lead, tiles
from .plot import plot
from .text import shown
from .trials import Trials

#: No network, no form, no frame; of scripts only ours, known by its hash.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'; "
    "base-uri 'none'; form-action 'none'"
)

#: Trials from which on a browser had better not lay out what nobody looks at.
_MANY = 300


def page(result: Result) -> str:
    """A run as a complete HTML page."""
    script, style = _packaged("script.js"), _packaged("style.css")
    policy = _POLICY.format(base64.b64encode(sha256(script.encode()).digest()).decode())
    name, subtitle = headline(result)
    trials = Trials(result)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="tgsci">
<title>{shown(name)}: tgsci report</title>
<style>{style}</style>
</head>
<body>
<a class="skip" href="#trials">Skip to all trials</a>
<header>
<p class="disclaimer">Research tool. Not for clinical use; nothing here is advice for patients.</p>
<h1><bdi>{shown(name)}</bdi></h1>
<p class="subtitle">{subtitle}</p>
{tiles(result)}
{lead(result)}
</header>
<main>
{_section("progress", "Progress", plot(result))}
{_section("best", "The best trials", trials.cards())}
{_section("run", "About this run", facts(result, trials.texts))}
{_section("trials", "All trials", trials.table(), "many" if len(result.trials) > _MANY else "")}
</main>
<footer>
<p>Made by tgsci from the run's record. Every proposal, prompt, reply and measurement is in <code>run.db</code>.</p>
</footer>
<script>{script}</script>
</body>
</html>
"""


def _section(name: str, title: str, content: str, kind: str = "") -> str:
    heading = f'<h2 id="{name}-title">{title}</h2>'
    return f'<section id="{name}" class="{kind}" aria-labelledby="{name}-title">{heading}\n{content}</section>'


def _packaged(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
