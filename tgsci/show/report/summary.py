"""What the page says of the whole run: what was run, by whom, at what cost, and what left the machine."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

from ...basics.texts import duration, figure
from ...basics.version import __version__
from .text import LongText, LongTexts, shortened

if TYPE_CHECKING:
    from ...runs.result import Result

#: Sessions listed one by one; of more, the latest. Start values, notes, models and clusters listed.
MOST_SESSIONS, _STARTS, _NOTES, _MODELS, _PLACES = 30, 20, 50, 20, 5
_BUDGET = {"evaluations": "evaluations", "seconds": "s", "usd": "USD", "model_calls": "model calls", "tokens": "tokens"}


@dataclass(frozen=True)
class Tile:
    """One of the figures at the top of the page.

    Args:
        name: What it is.
        figure: The figure, or a word.
        note: Below it.
        trial: The number of the trial that it leads to.
    """

    name: str
    figure: str
    note: str = ""
    trial: int | None = None


class Summary:
    """A run as a whole. Every text is plain: the template escapes it.

    Args:
        result: The result of a run.
        texts: Cuts what is long.
    """

    def __init__(self, result: Result, texts: LongTexts) -> None:
        self._result, self._texts = result, texts
        self._header = header = result.header
        name = str(header.get("name") or header.get("domain") or header.get("loss") or "Run")
        self.name = shortened(name, 100)
        parts = [str(header.get(key) or "") for key in ("domain", "loss")]
        self.subtitle = [shortened(part, 100) for part in parts if part and part != name]
        #: False where trials do not compete: then the page shows no best ones.
        self.rivals = bool(header.get("rivals", True))
        self.created = moment(header.get("created_at"))
        self.stopped = result.stopped
        self.branched = texts.folded(result.branched_from(), 400)
        self.start = [texts.folded(value, 300) for value in self._starts()]
        self.loss = texts.folded(str(header.get("loss") or ""), 200)
        self.task = self._task(str(header.get("task") or ""))
        notes = header.get("notes")
        self.notes = [texts.folded(str(note), 400) for note in (notes if isinstance(notes, list) else [])[:_NOTES]]
        self.why_stopped = texts.folded(result.stopped, 500)
        self.seed = str(header.get("seed", ""))
        self.settings = texts.folded(self._settings(), 600)
        self.measured_by = texts.folded(str(header.get("fingerprint") or ""), 400)
        self.version = shortened(str(header.get("tgsci") or "unknown"), 40)
        self.later_version = "" if self.version == __version__ else __version__

    @property
    def tiles(self) -> list[Tile]:
        """The run in five figures; in three where trials do not compete."""
        best, spent = self._result.best, self._result.spent
        start = [t.loss for t in self._result.trials if t.round == 0 and t.measured]
        limit = _mapping(self._header.get("budget")).get("evaluations")
        sessions = len(self._result.sessions)
        losses = [
            Tile("best loss", figure(best.loss), self._best_note(), best.number)
            if best
            else Tile("best loss", "none", self._best_note()),
            Tile("start", figure(min(start)) if start else "none", "lower is better"),
        ]
        return [
            *(losses if self.rivals else ()),
            Tile("evaluations", str(spent.evaluations), f"of {limit}" if isinstance(limit, int) else ""),
            Tile("wall time", duration(spent.seconds), f"in {sessions} sessions" if sessions > 1 else ""),
            Tile("model calls", str(spent.model_calls), self.price if spent.model_calls else "no model was asked"),
        ]

    @property
    def proposers(self) -> list[str]:
        """Who proposed values."""
        return [shortened(name, 100) for name in dict.fromkeys(s.proposer for s in self._result.sessions)]

    @property
    def proposers_note(self) -> str:
        """What is said after their names."""
        note = " (the domain's rule editor: no model)" if self.proposers == ["rules"] else ""
        if self._header.get("optimizer") == "menu":
            note = " (chosen from the domain's menu)"
        proposals = self._header.get("proposals")
        return note + (f"; {proposals} value{'s' * (proposals != 1)} a round" if isinstance(proposals, int) else "")

    @property
    def budget(self) -> str:
        """When the run was to stop."""
        budget = _mapping(self._header.get("budget"))
        limits = [f"{budget[key]} {unit}" for key, unit in _BUDGET.items() if budget.get(key) is not None]
        goal = self._header.get("goal")
        if isinstance(goal, int | float):
            limits.append(f"or a loss of at most {goal:.6g}")
        return ", ".join(limits)

    @property
    def used(self) -> str:
        """What the run took."""
        spent = self._result.spent
        used = f"{spent.evaluations} evaluations, {duration(spent.seconds)}"
        if spent.confirmations:
            care = duration(spent.confirmation_seconds)
            leaders = "leader" if spent.confirmations == 1 else "leaders"
            used += f", {spent.confirmations} {leaders} measured with care ({care} of the measurements)"
        if not spent.model_calls:
            return f"{used}, no model calls"
        known = spent.tokens_in or spent.tokens_out
        tokens = f"{spent.tokens_in:,} tokens sent, {spent.tokens_out:,} received" if known else "tokens unknown"
        return f"{used}, {spent.model_calls} model calls ({tokens}; {self.price})"

    @property
    def price(self) -> str:
        """What the model calls cost, as far as it is known."""
        spent = self._result.spent
        if not spent.unpriced_calls:
            return f"{spent.usd:.4f} USD"
        if spent.unpriced_calls == spent.model_calls:
            return "price unknown"
        return f"{spent.usd:.4f} USD and {spent.unpriced_calls} calls of unknown price"

    @property
    def clusters(self) -> list[str]:
        """Where values were measured, if not on this machine."""
        places = self._header.get("measured_at")
        return [shortened(str(text), 300) for text in places[:_PLACES]] if isinstance(places, list) else []

    @property
    def asked(self) -> str:
        """What left the machine for being answered, where that takes no names; "" where models were asked.

        A colleague relies on it: nothing is promised that the record does not show.
        """
        models = self._result.models
        if not models:
            return "" if self.clusters else "Nothing: no model was asked, and tgsci opens no connection of its own."
        recorded = self._header.get("engine")
        engine = str(recorded.get("name") if isinstance(recorded, Mapping) else recorded)
        alone = {session.proposer for session in self._result.sessions} == {engine}
        if alone and engine == "human":
            what = f"{self.prompts} prompts, with values and reports in them"
            return f"Nothing by itself: a person read {what}, and gave the replies."
        if alone and engine.startswith("replay:"):
            return f"Nothing: {self.prompts} prompts were answered from a recording."
        return ""

    @property
    def prompts(self) -> str:
        """How many prompts were answered."""
        return f"{sum(self._result.models.values()):,}"

    @property
    def models(self) -> list[tuple[str, str]]:
        """The models that were asked, each with how many prompts."""
        return [(shortened(name, 100), f"{n:,}") for name, n in list(self._result.models.items())[:_MODELS]]

    @property
    def descriptions(self) -> list[str]:
        """What the run said of its models when it began."""
        said = dict.fromkeys(s.description for s in self._result.sessions if s.description and s.proposer != "rules")
        return [shortened(text, 400) for text in list(said)[:5]]

    @property
    def sessions(self) -> list[dict[str, Any]]:
        """Each stretch of work, where there were several: the latest ones."""
        sessions = self._result.sessions
        if len(sessions) < 2:
            return []
        return [
            {
                "began": moment(session.started_at),
                "worked": duration(session.seconds),
                "proposer": shortened(session.proposer, 100),
                "ended": shortened(session.ended or "killed, or still at work", 300),
            }
            for session in sessions[-MOST_SESSIONS:]
        ]

    @property
    def earlier_sessions(self) -> str:
        """Said where more sessions are recorded than are listed."""
        count = len(self._result.sessions)
        return f"The latest {MOST_SESSIONS} of {count}. " if count > MOST_SESSIONS else ""

    def _best_note(self) -> str:
        best = self._result.best
        if best is None or best.feedback is None:
            return "nothing could be measured"
        return f"trial {best.number}{best.pending_note}" + ("" if best.feedback.feasible else ", outside a hard limit")

    def _starts(self) -> list[str]:
        start = self._header.get("start")
        values = start if isinstance(start, list) else [start] if start else []
        more = [f"and {len(values) - _STARTS} more"] if len(values) > _STARTS else []
        return [str(value) for value in values[:_STARTS]] + more

    def _task(self, task: str) -> LongText:
        first, _, rest = task.partition("\n")
        return self._texts.folded(task, 200) if rest else self._texts.folded(first, 400)

    def _settings(self) -> str:
        config = _mapping(self._header.get("config"))
        pairs = [f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in config.items() if key != "start"]
        return ", ".join(pairs)


def moment(seconds: object) -> tuple[str, str]:
    """Write a moment in this machine's time zone: for machines ("" where it is unknown), and for people."""
    try:
        time = datetime.fromtimestamp(float(str(seconds))).astimezone()
    except (ValueError, OverflowError, OSError):
        return "", "date unknown"
    iso = time.isoformat(timespec="seconds")
    return iso, f"{time:%Y-%m-%d %H:%M} UTC{iso[-6:]}"


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
