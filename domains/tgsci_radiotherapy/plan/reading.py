"""JSON from models and people, read strictly: bounded before it is parsed, no NaN, no key twice."""

from __future__ import annotations

import json
import re
from typing import Any

from tgsci.errors import InvalidValue

from ..words import shown

#: Longest text that is read, characters, and deepest nesting: parameters need two levels.
LONGEST, DEEPEST = 100_000, 8
#: Most objectives of a plan.
MOST_OBJECTIVES = 100
_FENCE = re.compile(r"\A```[A-Za-z]*[^\S\n]*\n(.*)\n[^\S\n]*```\Z", re.DOTALL)
_EXAMPLE = '{"objectives": [{"structure": "PTV", "type": "squared_deviation", "dose_gy": 51.5, "weight": 1000}]}'


def read_objectives(text: str) -> list[dict[str, Any]]:
    """The tables of a plan's objectives.

    A code fence around the whole is taken off: models add it.

    Raises:
        InvalidValue: Not such a text; says where and what to write.
    """
    if not isinstance(text, str):
        raise InvalidValue(f"plan parameters must be JSON text, not {type(text).__name__}")
    if len(text) > LONGEST:
        raise InvalidValue(f"the text has {len(text)} characters; at most {LONGEST} are read")
    text = text.strip()
    fenced = _FENCE.match(text)
    if fenced:
        text = fenced[1].strip()
    if not text:
        raise InvalidValue(f"the text is empty; write {_EXAMPLE}")
    _check_nesting(text)
    try:
        document = json.loads(text, parse_int=float, parse_constant=float, object_pairs_hook=_without_repetition)
    except json.JSONDecodeError as error:
        raise InvalidValue(
            f"not valid JSON: {error.msg} at line {error.lineno}, column {error.colno}, near "
            f"{shown(text[max(0, error.pos - 15) : error.pos + 15])}; write {_EXAMPLE} and nothing around it"
        ) from None
    if isinstance(document, list):
        raise InvalidValue('the objectives must be the value of a key: write {"objectives": [...]}, not a bare list')
    if not isinstance(document, dict) or "objectives" not in document:
        raise InvalidValue(f'the key "objectives" is missing; write {_EXAMPLE}')
    for key in document:
        if key != "objectives":
            raise InvalidValue(f'unknown key {shown(key)} beside "objectives"; leave it out')
    objectives = document["objectives"]
    if not isinstance(objectives, list) or not objectives:
        raise InvalidValue(f'"objectives" must be a list of at least one object; write {_EXAMPLE}')
    if len(objectives) > MOST_OBJECTIVES:
        raise InvalidValue(f"there are {len(objectives)} objectives; at most {MOST_OBJECTIVES} are planned with")
    for number, table in enumerate(objectives, 1):
        if not isinstance(table, dict):
            raise InvalidValue(f"objective {number} must be an object with structure, type and weight")
    return objectives


def _check_nesting(text: str) -> None:
    """Refuse what would exhaust the parser's stack. A text that no quotation mark ends is passed over to the end."""
    depth = 0
    for piece in re.finditer(r'"(?:[^"\\]|\\.)*+(?:"|\\?\Z)|[\[{]|[\]}]', text, re.DOTALL):
        if piece[0] in "[{":
            depth += 1
            if depth > DEEPEST:
                raise InvalidValue(f"brackets are nested more than {DEEPEST} deep; write {_EXAMPLE}")
        elif piece[0] in "]}":
            depth -= 1


def _without_repetition(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    table = dict(pairs)
    if len(table) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise InvalidValue(f"the key {shown(twice)} stands twice in one object; keep one of the two")
    return table
