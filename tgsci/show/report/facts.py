"""What was run, by whom, at what cost, and what left the machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ...figures import figure
from ...runs.result import Result
from ...texts import duration
from .text import LongTexts, shortened, shown

#: Sessions listed one by one; of more, the latest.
_SESSIONS = 30
_BUDGET = {"evaluations": "evaluations", "seconds": "s", "usd": "USD", "model_calls": "model calls"}


def headline(result: Result) -> tuple[str, str]:
    """The page's title as text, and the line below it as HTML."""
    header = result.header
    name = str(header.get("name") or header.get("domain") or header.get("loss") or "Run")
    parts = [str(header.get(key) or "") for key in ("domain", "loss")]
    line = [f"<bdi>{shown(shortened(part, 100))}</bdi>" for part in parts if part and part != name]
    return shortened(name, 100), " · ".join([*line, _time(header.get("created_at"))])


def tiles(result: Result) -> str:
    """The run in five figures."""
    best, spent = result.best, result.spent
    start = [t.loss for t in result.trials if t.round == 0 and t.measured]
    limit = _mapping(result.header.get("budget")).get("evaluations")
    figures = [
        (
            "best loss",
            f'<a href="#trial-{best.number}">{figure(best.loss)}</a>' if best else "none",
            _best_note(result),
        ),
        ("start", figure(min(start)) if start else "none", "lower is better"),
        ("evaluations", f"{spent.evaluations}", f"of {limit}" if isinstance(limit, int) else ""),
        ("wall time", duration(spent.seconds), _sessions_note(result)),
        ("model calls", f"{spent.model_calls}", _price(result) if spent.model_calls else "no model was asked"),
    ]
    items = [f"<div><dt>{name}</dt><dd>{figure}<small>{note}</small></dd></div>" for name, figure, note in figures]
    return f'<dl class="tiles">{"".join(items)}</dl>'


def lead(result: Result) -> str:
    """Who proposed, why it stopped and what left the machine, in plain words."""
    stopped = shown(shortened(result.stopped, 300))
    return (
        f'<p class="lead">Proposed by {_proposers(result)}. <b>Stopped:</b> <bdi>{stopped}</bdi>. '
        f'<b>Left this machine:</b> {_left(result)} <a href="#run">More about this run</a></p>'
    )


def facts(result: Result, texts: LongTexts) -> str:
    """The run's settings and history as a list of terms."""
    header = result.header
    rows = [
        ("Branched off", texts.folded(result.branched_from(), 400)),
        ("Start", "<br>".join(f"<code>{texts.folded(value, 300)}</code>" for value in _start(header))),
        ("Loss", texts.folded(str(header.get("loss") or ""), 200)),
        ("Task", _task(str(header.get("task") or ""), texts)),
        ("Notes", _notes(header.get("notes"), texts)),
        ("Proposed by", _proposers(result)),
        ("Budget", _budget(header)),
        ("Stopped", texts.folded(result.stopped, 500)),
        ("Used", _used(result)),
        ("Left this machine", _left(result)),
        ("Seed", shown(str(header.get("seed", "")))),
        ("Settings", _settings(_mapping(header.get("config")), texts)),
        ("Measured by", f"<code>{texts.folded(str(header.get('fingerprint') or ''), 400)}</code>"),
        ("Versions", _versions(header)),
        ("Sessions", _sessions(result)),
    ]
    return (
        f'<dl class="facts">{"".join(f"<div><dt>{name}</dt><dd>{text}</dd></div>" for name, text in rows if text)}</dl>'
    )


def _best_note(result: Result) -> str:
    if result.best is None or result.best.feedback is None:
        return "nothing could be measured"
    best = f"trial {result.best.number}{result.best.so_far}"
    return best + ("" if result.best.feedback.feasible else ", outside a hard limit")


def _sessions_note(result: Result) -> str:
    sessions = len(result.sessions)
    return f"in {sessions} sessions" if sessions > 1 else ""


def _start(header: Mapping[str, Any]) -> list[str]:
    start = header.get("start")
    values = start if isinstance(start, list) else [start] if start else []
    more = [f"and {len(values) - 20} more"] if len(values) > 20 else []
    return [str(value) for value in values[:20]] + more


def _notes(notes: object, texts: LongTexts) -> str:
    """What was said before the run began."""
    return "<br>".join(texts.folded(str(note), 400) for note in (notes if isinstance(notes, list) else [])[:50])


def _task(task: str, texts: LongTexts) -> str:
    first, _, rest = task.partition("\n")
    return texts.folded(task, 200) if rest else texts.folded(first, 400)


def _proposers(result: Result) -> str:
    names = dict.fromkeys(session.proposer for session in result.sessions)
    shown_names = [shown(shortened(name, 100)) for name in names]
    rules = " (the domain's rule editor: no model)" if list(names) == ["rules"] else ""
    if result.header.get("optimizer") == "menu":
        rules = " (chosen from the domain's menu)"
    proposals = result.header.get("proposals")
    return ", ".join(shown_names) + rules + (f"; {proposals} values a round" if isinstance(proposals, int) else "")


def _budget(header: Mapping[str, Any]) -> str:
    budget = _mapping(header.get("budget"))
    limits = [shown(f"{budget[key]} {unit}") for key, unit in _BUDGET.items() if budget.get(key) is not None]
    goal = header.get("goal")
    if isinstance(goal, int | float):
        limits.append(f"or a loss of at most {goal:.6g}")
    return ", ".join(limits)


def _used(result: Result) -> str:
    spent = result.spent
    used = f"{spent.evaluations} evaluations, {duration(spent.seconds)}"
    if not spent.model_calls:
        return f"{used}, no model calls"
    known = spent.tokens_in or spent.tokens_out
    tokens = f"{spent.tokens_in:,} tokens sent, {spent.tokens_out:,} received" if known else "tokens unknown"
    return f"{used}, {spent.model_calls} model calls ({tokens}; {_price(result)})"


def _price(result: Result) -> str:
    spent = result.spent
    if not spent.unpriced_calls:
        return f"{spent.usd:.4f} USD"
    if spent.unpriced_calls == spent.model_calls:
        return "price unknown"
    return f"{spent.usd:.4f} USD and {spent.unpriced_calls} calls of unknown price"


def _left(result: Result) -> str:
    """What left the machine. A colleague relies on it: nothing is promised that the record does not show."""
    clusters = result.header.get("measured_at")
    if not isinstance(clusters, list) or not clusters:
        return _asked(result)
    places = " ".join(f"<bdi>{shown(shortened(str(text), 300))}</bdi>" for text in clusters[:5])
    return places if not result.models else f"{places} {_asked(result)}"


def _asked(result: Result) -> str:
    """What left the machine for being answered."""
    models = result.models
    if not models:
        return "Nothing: no model was asked, and tgsci opens no connection of its own."
    proposers = {session.proposer for session in result.sessions}
    recorded = result.header.get("engine")
    engine = str(recorded.get("name") if isinstance(recorded, Mapping) else recorded)
    calls = f"{sum(models.values()):,} prompts"
    if proposers == {engine} and engine == "human":
        return f"Nothing by itself: a person read {calls}, with values and reports in them, and gave the replies."
    if proposers == {engine} and engine.startswith("replay:"):
        return f"Nothing: {calls} were answered from a recording."
    names = [f"<bdi>{shown(shortened(name, 100))}</bdi> ({count:,})" for name, count in list(models.items())[:20]]
    said = dict.fromkeys(s.description for s in result.sessions if s.description and s.proposer != "rules")
    quoted = [f"<bdi>{shown(shortened(text, 400))}</bdi>" for text in list(said)[:5]]
    return (
        f"{calls}, with values and reports in them, went to {', '.join(names)}. "
        "Unless that runs on this machine, they left it. "
        + (f"What the run said when it began: {' '.join(quoted)}" if quoted else "")
    ).strip()


def _settings(config: Mapping[str, Any], texts: LongTexts) -> str:
    pairs = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in config.items() if key != "start"]
    return f"<code>{texts.folded(', '.join(pairs), 600)}</code>" if pairs else ""


def _versions(header: Mapping[str, Any]) -> str:
    from ... import __version__

    ran = str(header.get("tgsci") or "unknown")
    later = "" if ran == __version__ else f"; this page was made by tgsci {__version__}"
    return f"tgsci {shown(shortened(ran, 40))}{later}"


def _sessions(result: Result) -> str:
    sessions = result.sessions
    rows = [
        f"<tr><td>{_time(s.started_at)}</td><td>{duration(s.seconds)}</td>"
        f"<td><bdi>{shown(shortened(s.proposer, 100))}</bdi></td>"
        f"<td><bdi>{shown(shortened(s.ended or 'killed, or still at work', 300))}</bdi></td></tr>"
        for s in sessions[-_SESSIONS:]
    ]
    if len(rows) < 2:
        return ""
    earlier = f"The latest {_SESSIONS} of {len(sessions)}. " if len(sessions) > _SESSIONS else ""
    heads = "".join(f'<th scope="col">{title}</th>' for title in ("began", "worked", "proposed by", "ended"))
    return (
        f'{earlier}<div class="wide" tabindex="0" role="region" aria-label="Sessions"><table class="plain">'
        f"<thead><tr>{heads}</tr></thead><tbody>{''.join(rows)}</tbody></table></div>"
    )


def _time(seconds: object) -> str:
    """A moment, in this machine's time zone."""
    try:
        moment = datetime.fromtimestamp(float(str(seconds))).astimezone()
    except (ValueError, OverflowError, OSError):
        return "date unknown"
    iso = moment.isoformat(timespec="seconds")
    return f'<time datetime="{iso}">{moment:%Y-%m-%d %H:%M} UTC{iso[-6:]}</time>'


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
