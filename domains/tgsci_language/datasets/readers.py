"""Read data sets as they are published: BIG-Bench Hard, GSM8K, MMLU, and any CSV or JSON Lines with named columns."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from tgsci.basics import checks
from tgsci.basics.texts import did_you_mean, literal, quote, visible
from tgsci.errors import UsageError

from .example import Dataset, Example

#: The formats, by the name that a task gives them.
FORMATS = ("bbh", "gsm8k", "mmlu", "csv", "jsonl")
#: Largest file that is read, bytes.
LARGEST = 200_000_000
_MMLU_LETTERS = "ABCD"


def read_dataset(
    path: str | Path,
    format: str | None = None,
    *,
    question: str = "question",
    answer: str = "answer",
    choices: Sequence[str] = (),
) -> Dataset:
    """Read a data set.

    Args:
        path: The file: UTF-8, with or without a byte-order mark.
        format: "bbh" (JSON with `examples` of `input` and `target`), "gsm8k" (JSON Lines; the answer stands after
            `####`), "mmlu" (CSV without a header: question, four choices, letter), "csv" or "jsonl" (columns by name).
            None tells it from the file.
        question: The column of the question, for "csv" and "jsonl".
        answer: The column of the reference answer.
        choices: The columns of the choices, in order, for a CSV; in JSON Lines a single column may hold a list of them.

    Returns:
        The examples in the file's order. Their ids are the numbers of their rows, from 1.

    Raises:
        UsageError: The file cannot be read, a column or a value is missing, or an answer is no choice; says where.
    """
    path = Path(path).expanduser()
    text = read_text(path)
    if format is not None:
        checks.choice("format", format, FORMATS)
    try:
        format = format or _guess(path, text)
        if format == "bbh":
            examples = _bbh(text)
        elif format == "mmlu":
            examples = _mmlu(text)
        elif format == "gsm8k":
            examples = [_gsm8k(row, id) for id, row in _json_lines(text, ("question", "answer"))]
        else:
            rows = _csv(text, path) if format == "csv" else _json_lines(text, ())
            examples = [_example(row, id, question, answer, choices) for id, row in rows]
        if not examples:
            raise UsageError("it holds no example")
        return Dataset(path.stem[:60], tuple(examples))
    except UsageError as error:
        raise UsageError(f"{visible(str(path))}: {error}") from None


def published_format(path: str | Path) -> str | None:
    """Tell a published format that needs no names of columns, "bbh", "gsm8k" or "mmlu", from the file; else None.

    Raises:
        UsageError: The file cannot be read.
    """
    path = Path(path).expanduser()
    text = read_text(path)
    try:
        found = _guess(path, text)
    except UsageError:  # no such file, or a fault that reading its rows tells better
        return None
    return found if found in ("bbh", "gsm8k", "mmlu") else None


def read_rows(path: str | Path) -> list[tuple[str, dict[str, Any]]]:
    """Read the rows of a CSV with a header, or of a JSON Lines file, each with its number from 1.

    Raises:
        UsageError: The file cannot be read, or a row is not like the others.
    """
    path = Path(path).expanduser()
    text = read_text(path)
    try:
        return _json_lines(text, ()) if path.suffix.lower() in (".jsonl", ".ndjson") else _csv(text, path)
    except UsageError as error:
        raise UsageError(f"{visible(str(path))}: {error}") from None


def read_text(path: Path) -> str:
    """Read a text file as UTF-8.

    Raises:
        UsageError: It cannot be read, is far too large, or is in another encoding; says where.
    """
    where = visible(str(path))
    try:
        if path.stat().st_size > LARGEST:
            raise UsageError(f"{where} has {path.stat().st_size:,} bytes; the most is {LARGEST:,}")
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"cannot read {where}: {error.strerror}") from None
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        raise UsageError(f"{where} is UTF-16; save it as UTF-8")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise UsageError(
            f"{where} is not UTF-8: byte 0x{content[error.start]:02x} in line {line}; save it as UTF-8"
        ) from None


def _guess(path: Path, text: str) -> str:
    """Tell the format from the file's name and its beginning."""
    suffix = path.suffix.lower()
    if suffix == ".json":
        return "bbh"
    if suffix in (".jsonl", ".ndjson"):
        first = text.lstrip().partition("\n")[0]
        return "gsm8k" if "####" in first and '"question"' in first else "jsonl"
    if suffix in (".csv", ".tsv"):
        first_row = next(iter(_cells(text, _delimiter(path, text))), [])
        return "mmlu" if len(first_row) == 6 and first_row[-1].strip() in _MMLU_LETTERS else "csv"
    raise UsageError(f"the format cannot be told from the name; say which: {', '.join(FORMATS)}")


def _bbh(text: str) -> list[Example]:
    try:
        content = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise UsageError(f"no valid JSON: {error}") from None
    examples = content.get("examples") if isinstance(content, dict) else None
    if not isinstance(examples, list):
        raise UsageError("a BIG-Bench Hard file is a JSON object with a list `examples`; there is none")
    found = []
    for number, each in enumerate(examples, 1):
        if not isinstance(each, dict):
            raise UsageError(f"example {number} is {literal(each)}, not an object with `input` and `target`")
        found.append(Example(_text(each, "input", number), _text(each, "target", number), str(number)))
    return found


def _gsm8k(row: Mapping[str, Any], id: str) -> Example:
    answer = _text(row, "answer", id)
    _, marker, final = answer.rpartition("####")
    if not marker or not final.strip():
        raise UsageError(f"row {id}: there is no `#### answer` in {quote(answer[-80:])}")
    return Example(_text(row, "question", id), final.strip().replace(",", ""), id)


def _mmlu(text: str) -> list[Example]:
    found = []
    for number, cells in enumerate(_cells(text, ","), 1):
        if len(cells) != 6:
            raise UsageError(f"row {number} has {len(cells)} columns; MMLU has 6: question, A, B, C, D, answer")
        found.append(Example(cells[0], cells[5], str(number), tuple(cells[1:5])))
    return found


def _example(row: Mapping[str, Any], id: str, question: str, answer: str, choices: Sequence[str]) -> Example:
    given: list[str] = []
    for column in choices:
        value = row.get(column)
        if isinstance(value, list):
            given += map(str, value)
        else:
            given.append(_text(row, column, id))
    return Example(_text(row, question, id), _text(row, answer, id), id, tuple(given))


def _text(row: Mapping[str, Any], column: str, id: object) -> str:
    """Take the text of a column; a number is written as JSON writes it."""
    if column not in row:
        raise UsageError(f"row {id} has no column {quote(column)}; {did_you_mean(column, map(str, row))}")
    value = row[column]
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"row {id}: {column} must be text or a number, not {literal(value)}")
    return value if isinstance(value, str) else json.dumps(value)


def _cells(text: str, delimiter: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text), delimiter=delimiter, strict=True)
    try:
        return [row for row in reader if any(row)]
    except csv.Error as error:
        raise UsageError(f"no valid CSV, in line {reader.line_num}: {error}") from None


def _delimiter(path: Path, text: str) -> str:
    """Tell what stands between the columns: a semicolon where a spreadsheet has the comma for decimals."""
    if path.suffix.lower() == ".tsv":
        return "\t"
    first = text.partition("\n")[0]
    return ";" if ";" in first and "," not in first else ","


def _csv(text: str, path: Path) -> list[tuple[str, dict[str, Any]]]:
    rows = _cells(text, _delimiter(path, text))
    if not rows:
        raise UsageError("it is empty; the first row names the columns")
    header = [name.strip() for name in rows[0]]
    if len(set(header)) != len(header):
        raise UsageError(f"two columns have the same name in {', '.join(map(quote, header))}")
    for number, cells in enumerate(rows[1:], 1):
        if len(cells) != len(header):
            raise UsageError(f"row {number} has {len(cells)} cells; the header names {len(header)} columns")
    return [(str(number), dict(zip(header, cells, strict=True))) for number, cells in enumerate(rows[1:], 1)]


def _json_lines(text: str, columns: Sequence[str]) -> list[tuple[str, dict[str, Any]]]:
    found: list[tuple[str, dict[str, Any]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"line {number} is no valid JSON: {error}") from None
        if not isinstance(row, dict):
            raise UsageError(f"line {number} is {literal(row)}, not an object with named columns")
        for column in columns:
            _text(row, column, number)
        found.append((str(number), row))
    return found
