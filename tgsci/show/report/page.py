"""Make the page from its templates: every expression in them is escaped, and only our own script may run."""

from __future__ import annotations

import base64
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING

import jinja2
from markupsafe import Markup

from .plot import Plot
from .proposed import sections_on_proposals
from .section import sections_of, shown
from .summary import Summary
from .text import LongTexts, as_attribute, as_html, shortened
from .trials import PageTrials

if TYPE_CHECKING:
    from ...runs.result import Result

#: No network, no form, no frame; of scripts only ours, known by its hash.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{}'; "
    "base-uri 'none'; form-action 'none'"
)


def render(result: Result) -> str:
    """Make a complete HTML page of a run."""
    script, style = _packaged("script.js"), _packaged("style.css")
    texts = LongTexts()
    trials = PageTrials(result, texts)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            policy=Markup(_POLICY.format(base64.b64encode(sha256(script.encode()).digest()).decode())),
            script=Markup(script),
            style=Markup(style),
            plot=Plot(result),
            run=Summary(result, texts),
            trials=trials,
            sections=[*sections_of(result, texts), *shown(sections_on_proposals(result), texts, "proposed")],
        )
    )


def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        autoescape=True,
        finalize=as_html,
        loader=jinja2.FunctionLoader(_packaged),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"attribute": as_attribute, "shortened": shortened, "thousands": "{:,}".format}
    return environment


def _packaged(name: str) -> str:
    return (files(__package__) / name).read_text(encoding="utf-8")
