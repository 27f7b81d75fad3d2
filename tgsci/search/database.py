"""The SQLite file of a run: its tables and formats, its lock, and how it is opened."""

from __future__ import annotations

import errno
import os
import sqlite3
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import LedgerError

if TYPE_CHECKING:
    from filelock import FileLock

DATABASE = "run.db"
#: Written into every run; a file of a format that is not known is refused, never guessed at.
FORMAT = 3
#: Older formats: they can be read, and are brought to the present one when the run goes on.
OLDER = (1, 2)
APPLICATION = 0x74677363  # "tgsc"
#: Runs below a directory that a message names.
_MOST_NAMED = 6

_CALLS = """CREATE TABLE calls (
    id INTEGER PRIMARY KEY, round INTEGER NOT NULL, trial INTEGER NOT NULL, question TEXT NOT NULL,
    occurrence INTEGER NOT NULL, engine TEXT NOT NULL, system TEXT NOT NULL, prompt TEXT NOT NULL, reply TEXT NOT NULL,
    model TEXT NOT NULL,
    tokens_in INTEGER, tokens_out INTEGER, usd REAL, seconds REAL NOT NULL, finish TEXT NOT NULL,
    asked_at REAL NOT NULL, UNIQUE (round, trial, question, occurrence))"""

#: Columns of the trials that formats 1 and 2 did not have.
SINCE_3 = {"expected": "REAL", "role": "TEXT NOT NULL DEFAULT ''", "contrast": "TEXT NOT NULL DEFAULT ''"}
_TRIALS_SINCE_3 = ", ".join(f"{name} {kind}" for name, kind in SINCE_3.items())

#: Ideas, who was asked for which round, and careful measurements: formats 1 and 2 had none of them.
_SINCE_3 = """
CREATE TABLE IF NOT EXISTS ideas (
    id INTEGER PRIMARY KEY, round INTEGER NOT NULL, proposer TEXT NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL,
    parent INTEGER, edit TEXT NOT NULL, fault TEXT, expected REAL, role TEXT NOT NULL, outlook REAL, sd REAL,
    rank INTEGER NOT NULL, why TEXT NOT NULL, trial INTEGER REFERENCES trials, had_at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS pool ON ideas (trial);
CREATE TABLE IF NOT EXISTS asked (
    round INTEGER NOT NULL, proposer TEXT NOT NULL, answered INTEGER NOT NULL,
    PRIMARY KEY (round, proposer)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS careful (
    number INTEGER PRIMARY KEY REFERENCES trials, loss REAL, text TEXT NOT NULL, metrics TEXT NOT NULL,
    violations TEXT NOT NULL, error TEXT, transient INTEGER NOT NULL, seconds REAL NOT NULL, measured_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS careful_artifacts (
    number INTEGER NOT NULL REFERENCES trials, name TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (number, name)) WITHOUT ROWID
"""

SCHEMA = f"""
CREATE TABLE header (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE trials (
    number INTEGER PRIMARY KEY, round INTEGER NOT NULL, value TEXT NOT NULL, reason TEXT NOT NULL,
    parent INTEGER, edit TEXT NOT NULL, proposer TEXT NOT NULL, state TEXT NOT NULL, decision TEXT NOT NULL,
    proposed_at REAL NOT NULL, {_TRIALS_SINCE_3});
CREATE TABLE measurements (
    number INTEGER PRIMARY KEY REFERENCES trials, loss REAL, unmeasured INTEGER NOT NULL, text TEXT NOT NULL,
    metrics TEXT NOT NULL, violations TEXT NOT NULL, error TEXT, transient INTEGER NOT NULL,
    seconds REAL NOT NULL, measured_at REAL NOT NULL);
CREATE TABLE artifacts (
    number INTEGER NOT NULL REFERENCES trials, name TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (number, name)) WITHOUT ROWID;
{_CALLS};
CREATE TABLE sessions (
    id INTEGER PRIMARY KEY, started_at REAL NOT NULL, seconds REAL NOT NULL, proposer TEXT NOT NULL,
    description TEXT NOT NULL, ended TEXT NOT NULL);
-- What a run has spent is summed again and again: from these, without reading reports and prompts.
CREATE INDEX measured ON measurements (loss);
CREATE INDEX prices ON calls (usd, tokens_in, tokens_out);
{_SINCE_3}"""

#: The `trial` of a call that measured none.
NO_TRIAL = -1
#: Added to a trial's number, negative: the `trial` of a call that measured it with care.
_WITH_CARE = -2

#: Format 1 did not know which trial a call measured, nor which engine answered: its replies stay, and are not reused.
FROM_FORMAT_1 = f"""
DROP INDEX IF EXISTS prices;
ALTER TABLE calls RENAME TO old_calls;
{_CALLS};
INSERT INTO calls SELECT id, round, {NO_TRIAL}, 'format 1: ' || question, occurrence, '', system, prompt, reply, model,
    tokens_in, tokens_out, usd, seconds, finish, asked_at FROM old_calls ORDER BY id;
DROP TABLE old_calls;
CREATE INDEX prices ON calls (usd, tokens_in, tokens_out);
"""

#: Second measurements of finalists; made when the first is kept, so that runs of every age can have them.
FINALS = (
    """CREATE TABLE IF NOT EXISTS finals (
    number INTEGER PRIMARY KEY REFERENCES trials, loss REAL, text TEXT NOT NULL, metrics TEXT NOT NULL,
    violations TEXT NOT NULL, error TEXT, transient INTEGER NOT NULL, seconds REAL NOT NULL, measured_at REAL NOT NULL)
    """,
    """CREATE TABLE IF NOT EXISTS final_artifacts (
    number INTEGER NOT NULL REFERENCES trials, name TEXT NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (number, name)) WITHOUT ROWID
    """,
)


def with_care(number: int) -> int:
    """Tell what stands as the `trial` of a call that measured this trial with care."""
    return _WITH_CARE - number


def upgrade(found: int, columns: Iterable[str]) -> str:
    """Write the script that brings a file to the present format.

    Args:
        found: Its format.
        columns: Of its trials.
    """
    there = set(columns)
    missing = [f"ALTER TABLE trials ADD COLUMN {name} {kind}" for name, kind in SINCE_3.items() if name not in there]
    return ";\n".join([*([FROM_FORMAT_1.rstrip("; \n")] if found == 1 else []), *missing, _SINCE_3])


def connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")  # survives a power cut, not only a crash
    return connection


def connect_readonly(path: Path) -> sqlite3.Connection:
    uri = f"{path.resolve().as_uri()}?mode=ro"
    if not os.access(path.parent, os.W_OK) and not path.with_name(f"{path.name}-wal").exists():
        uri += "&immutable=1"  # an archive: SQLite could not make the files by which readers and a writer agree
    connection = sqlite3.connect(uri, uri=True, check_same_thread=False, timeout=30)
    connection.isolation_level = None
    return connection


def format_of(connection: sqlite3.Connection) -> int:
    """Read the run format of a file; 0 where nothing was written yet."""
    if not connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        return 0
    if connection.execute("PRAGMA application_id").fetchone()[0] != APPLICATION:
        raise sqlite3.DatabaseError("this is not a run of tgsci")
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def runs_below(directory: Path) -> str:
    """Name the runs in a directory, for somebody who took it for a run."""
    there = sorted(path.parent.name for path in directory.glob(f"*/{DATABASE}"))
    if not there:
        return ""
    more = f" and {len(there) - _MOST_NAMED} more" if len(there) > _MOST_NAMED else ""
    return (
        f". There are runs in it: {', '.join(there[:_MOST_NAMED])}{more}; name one of them. "
        f"The command that began several of them goes on with all when it is repeated with --run {directory}"
    )


def locked(directory: Path) -> FileLock:
    from filelock import FileLock, Timeout  # brings asyncio along: not for everyone who imports tgsci

    lock = FileLock(directory / "run.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LedgerError(f"the run in {str(directory)!r} is being worked on by another process") from None
    except OSError as error:
        raise LedgerError(f"cannot write into {str(directory)!r}: {reason(error)}") from None
    return lock


def reason(error: Exception) -> str:
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    return f"{reason}; make room" if is_full(error) else reason


def is_full(error: Exception) -> bool:
    """True where there is no room left on the disk."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, errno.EDQUOT)
    return getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL
