"""Reading a sheet of goals strictly: a message names the line of what is wrong and what to write instead."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from tgsci.basics import checks
from tgsci.basics.texts import compact, did_you_mean, quote
from tgsci.errors import UsageError

from ..case.regions import EXTERNAL, TARGETS
from ..names import clean, folded
from .goal import Goal, absolute, contradiction, parse_goal, same_structure
from .sheet import Sheet

#: Longest sheet that is read, bytes.
LONGEST = 100_000
#: Most goals, structures in a table, and other names of a structure.
MOST_GOALS, MOST_STRUCTURES, MOST_ALIASES = 200, 300, 50
_KEYS = ("title", "source", "fractions", "implied", "optional", "goals", "prescription", "structures")
_GOAL_KEYS = ("goal", "priority", "tolerance", "optional", "note")
_HINTS = {
    "name": "title",
    "aliases": "structures",
    "goal": "goals",
    "prescriptions": "prescription",
    "dose": "prescription",
}


def sheet_names() -> tuple[str, ...]:
    """List the sheets that come with the package."""
    return tuple(sorted(path.stem for path in _home().glob("*.toml")))


def read_sheet(name_or_path: str | Path) -> Sheet:
    """Read a sheet that comes with the package, by name, or one of your own, by path.

    Raises:
        UsageError: There is no such sheet, or it cannot be read; names the line and says what to write.
    """
    text = str(name_or_path)
    if text in sheet_names():
        path = _home() / f"{text}.toml"
    else:
        path = Path(text)
        if not path.is_file():
            looks = path.suffix == ".toml" or "/" in text or "\\" in text
            kind = "there is no file" if looks else "no sheet of goals is called"
            known = sheet_names()
            hint = f"or a name: {', '.join(known)}" if looks else did_you_mean(text, known)
            own = "" if looks else ", or give the path of a .toml file"
            raise UsageError(f"{kind} {quote(text, 200)}; {hint}{own}")
    try:
        if path.stat().st_size > LONGEST:
            raise UsageError(f"{quote(path.name)} has {path.stat().st_size} bytes; a sheet has at most {LONGEST}")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{quote(text, 200)} cannot be read: {error.strerror}") from None
    try:
        return parse_sheet(content.decode("utf-8"), name=path.stem)
    except UnicodeDecodeError:
        raise UsageError(f"{quote(path.name)} is not UTF-8 text; save it as UTF-8") from None


def parse_sheet(text: str, name: str = "sheet") -> Sheet:
    """Read a sheet's text.

    Args:
        text: TOML; see the module.
        name: Of the sheet, for messages.

    Raises:
        UsageError: Says the line and what to write.
    """
    name = clean(name) or "sheet"
    try:
        return _Reader(text).sheet(_toml(text), name)
    except UsageError as error:
        raise UsageError(f"goals {name}: {error}") from None


def _home() -> Path:
    return Path(__file__).parent / "sheets"


def _toml(text: str) -> dict[str, Any]:
    import tomllib

    if len(text) > LONGEST:
        raise UsageError(f"{len(text)} characters; a sheet has at most {LONGEST}")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"not a TOML file: {quote(str(error), 160)[1:-1]}") from None
    except (RecursionError, ValueError):
        raise UsageError("not a sheet: brackets nested too deep, or a number too long") from None


class _Reader:
    """Checks a sheet's table; keeps the text, to say where a fault is."""

    def __init__(self, text: str) -> None:
        self.lines = text.splitlines()

    def sheet(self, table: dict[str, Any], name: str) -> Sheet:
        for key in table:
            if key not in _KEYS:
                raise UsageError(f"{self.at_key(key)}unknown key {quote(key)}; {did_you_mean(key, _KEYS, _HINTS)}")
        aliases = self.aliases(table.get("structures", {}))
        optional = checks.flag(f"{self.at_key('optional')}optional", table.get("optional", False))
        if "goals" not in table:
            raise UsageError('there are no goals; write goals = ["PTV D95% >= 50 Gy, priority 1"] above the tables')
        prescription = self.prescription(table.get("prescription", {}))
        goals = self.goals(table["goals"], optional)
        fractions = table.get("fractions")
        if fractions is not None:
            fractions = checks.whole(f"{self.at_key('fractions')}fractions", fractions, 1, 100)
        sheet = Sheet(
            name,
            self.words(table, "title", 120) or name,
            self.words(table, "source", 1000),
            prescription,
            tuple(goals),
            aliases,
            fractions,
            checks.flag(f"{self.at_key('implied')}implied", table.get("implied", True)),
        )
        self.check_doses(sheet)
        self.check_together(sheet)
        return sheet

    def goals(self, value: object, optional: bool) -> list[Goal]:
        if isinstance(value, str) or not isinstance(value, list) or not value:
            raise UsageError(f'{self.at_key("goals")}goals is a list: goals = ["PTV D95% >= 50 Gy, priority 1"]')
        if len(value) > MOST_GOALS:
            raise UsageError(f"{len(value)} goals; a sheet has at most {MOST_GOALS}")
        goals: dict[tuple[str, str], Goal] = {}
        for entry in value:
            text = entry.get("goal") if isinstance(entry, dict) else entry
            where = self.at(text) if isinstance(text, str) else self.at_key("goals")
            try:
                goal = self.goal(entry, optional)
            except UsageError as error:
                raise UsageError(f"{where}{error}") from None
            key = (same_structure(goal.structure), f"{goal.metric} {goal.comparison}")
            if key in goals:
                raise UsageError(f"{where}{quote(goal.text)} repeats {quote(goals[key].text)}; keep one of them")
            goals[key] = goal
        return list(goals.values())

    def goal(self, entry: object, optional: bool) -> Goal:
        if isinstance(entry, str):
            return parse_goal(entry, optional=optional)
        if not isinstance(entry, dict):
            raise UsageError(f'a goal is a text, "PTV D95% >= 50 Gy", or a table with the key goal, not {quote(entry)}')
        for key in entry:
            if key not in _GOAL_KEYS:
                raise UsageError(f"unknown key {quote(key)} of a goal; {did_you_mean(key, _GOAL_KEYS)}")
        if not isinstance(entry.get("goal"), str):
            raise UsageError('the key goal is missing: { goal = "PTV D95% >= 50 Gy", priority = 1 }')
        text = entry["goal"]
        for key in ("priority", "tolerance"):
            if key in entry:
                if isinstance(entry[key], bool) or not isinstance(entry[key], int | float | str):
                    raise UsageError(f"{key} of {quote(text)} is a number, not {quote(entry[key])}")
                text += f", {key} {entry[key]}"
                if key == "tolerance" and not isinstance(entry[key], str):
                    text += f" {parse_goal(entry['goal']).unit}"
        own = checks.flag(f"optional of {quote(text)}", entry.get("optional", optional))
        goal = parse_goal(text, optional=own)
        return replace(goal, note=self.words(entry, "note", 300))

    def prescription(self, value: object) -> dict[str, float]:
        if not isinstance(value, dict):
            raise UsageError(f"{self.at_key('prescription')}[prescription] is a table: PTV = 50, total Gy")
        if len(value) > MOST_STRUCTURES:
            raise UsageError(f"{len(value)} entries in [prescription]; at most {MOST_STRUCTURES}")
        doses: dict[str, float] = {}
        for target, dose in value.items():
            where = self.at_key(target)
            if target in _KEYS:
                raise UsageError(f"{where}{target} stands in [prescription]; move it above the first [table]")
            dose = checks.number(f"{where}the prescription of {quote(target)}", dose, above=0, unit="total Gy")
            if dose > 200:
                raise UsageError(
                    f"{where}{compact(dose)} Gy prescribed to {quote(target)} looks like cGy; write "
                    f"{compact(dose / 100)}"
                )
            doses[self.name(target)] = dose
        return doses

    def aliases(self, value: object) -> dict[str, tuple[str, ...]]:
        if not isinstance(value, dict):
            raise UsageError(f'{self.at_key("structures")}[structures] is a table: Core = ["OAR", "Cord"]')
        if len(value) > MOST_STRUCTURES:
            raise UsageError(f"{len(value)} entries in [structures]; at most {MOST_STRUCTURES}")
        names: dict[str, tuple[str, ...]] = {}
        meaning: dict[str, str] = {}
        for structure, others in value.items():
            where = self.at_key(structure)
            if structure in _KEYS:
                raise UsageError(f"{where}{structure} stands in [structures]; move it above the first [table]")
            others = [others] if isinstance(others, str) else others
            if not isinstance(others, list) or not all(isinstance(o, str) and clean(o) for o in others):
                raise UsageError(f'{where}other names of {quote(structure)} are a list of texts: ["OAR", "Cord"]')
            if len(others) > MOST_ALIASES:
                raise UsageError(f"{where}{len(others)} other names of {quote(structure)}; at most {MOST_ALIASES}")
            name = self.name(structure)
            for other in (name, *others):
                owner = meaning.setdefault(folded(clean(other)), name)
                if owner != name:
                    raise UsageError(f"{where}{quote(other)} is a name of both {owner} and {name}; keep it with one")
            names[name] = tuple(clean(other) for other in others)
        return names

    def check_doses(self, sheet: Sheet) -> None:
        highest = max(sheet.prescription.values(), default=math.nan)
        for goal in sheet.goals:
            dose = goal.limit if goal.unit == "Gy" else goal.metric.amount if goal.metric.kind == "VGy" else 0.0
            if dose > 3 * highest:
                raise UsageError(
                    f"{self.at(goal.text)}{compact(dose)} Gy in {quote(goal.text)} is more than 3 times the "
                    f"prescription of {compact(highest)} Gy; doses are total Gy"
                )

    def check_together(self, sheet: Sheet) -> None:
        """Refuse goals that exclude each other, as far as that shows without a case."""
        by_name: dict[str, list[Goal]] = {}
        for goal in sheet.goals:
            dose = next(
                (d for t, d in sheet.prescription.items() if folded(t) == same_structure(goal.structure)), math.nan
            )
            known = absolute(goal, dose)
            if known is not None:
                by_name.setdefault(same_structure(goal.structure), []).append(known)
        for goals in by_name.values():
            if fault := contradiction(goals):
                raise UsageError(f"{self.at(goals[-1].text)}{fault}")

    def name(self, text: str) -> str:
        cleaned = clean(text)
        if not cleaned or text.casefold() in (TARGETS, EXTERNAL):
            raise UsageError(f"{self.at_key(text)}{quote(text)} is not a structure's name; use letters and digits")
        return cleaned

    def words(self, table: Mapping[str, Any], key: str, longest: int) -> str:
        value = table.get(key, "")
        if not isinstance(value, str):
            raise UsageError(f"{self.at_key(key)}{key} is a text, not {quote(value)}")
        return "".join(c if c.isprintable() else " " for c in " ".join(value.split())[:longest]).strip()

    def at(self, text: str) -> str:
        """Locate a text in the sheet: "line 7: "; "" where it does not stand there as it is."""
        for wanted in (f'"{text}"', f"'{text}'", text):
            for number, line in enumerate(self.lines, 1):
                if text and wanted in line:
                    return f"line {number}: "
        return ""

    def at_key(self, key: str) -> str:
        """Locate the line that sets a key."""
        pattern = re.compile(rf"""\s*(?:\[+\s*)?["']?{re.escape(key)}["']?\s*[=\].]""")
        for number, line in enumerate(self.lines, 1):
            if pattern.match(line):
                return f"line {number}: "
        return ""
