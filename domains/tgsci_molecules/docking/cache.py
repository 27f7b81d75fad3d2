"""Keep what was measured on this machine in one file: docking results, and whole feedbacks of losses.

A cache may be missing, locked, corrupt, full or on a full disk: then it is not used, which the log says once, and
no run changes or fails for it. What it holds is JSON, so that a foreign file can do no harm.
"""

from __future__ import annotations

import base64
import errno
import json
import logging
import os
import platform
import sqlite3
import threading
import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tgsci.basics.files import CACHE_VARIABLE, cache_directory, digest, source_digest
from tgsci.feedback import Feedback

#: Above this size the entries that were not used for longest are deleted, bytes.
MAX_BYTES = 2_000_000_000
#: A larger entry is not kept, nor read: no result is as large, bytes unpacked.
MAX_ENTRY = 20_000_000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (
    key BLOB PRIMARY KEY,
    kind TEXT NOT NULL,
    used INTEGER NOT NULL,
    payload BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS by_use ON entries (used);
"""
#: Free pages are given back to the disk; as a script, which runs to its end: `execute` gives back one page.
_SHRINK = "PRAGMA incremental_vacuum;"
#: How long a writer waits for another one, s.
_PATIENCE = 5.0
#: The time of the last use is written at most once in this time, s: else every look-up would be a write.
_NOTED = 86_400
#: After how many written entries the size is checked again.
_LOOK = 100
#: File systems that machines share; SQLite's log needs shared memory, which they do not have.
_SHARED = ("nfs", "cifs", "smb", "lustre", "gpfs", "beegfs", "ceph", "afs", "fuse", "9p")

_log = logging.getLogger("tgsci.molecules")


@dataclass(frozen=True)
class Statistics:
    """The entries of a cache, counted.

    Args:
        path: The cache's file.
        entries: The number of entries of each kind.
        size: Bytes on the disk.
    """

    path: Path
    entries: Mapping[str, int]
    size: int


class Cache:
    """A file of results. Whatever is wrong with the file counts as a miss.

    Args:
        path: The SQLite file; it and its directory are made when first written.
        max_bytes: Above this the entries that were not used for longest are deleted.
    """

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None
        self._process = 0
        self._off = False
        self._written = 0

    def get(self, kind: str, key: str) -> dict[str, Any] | None:
        """Look up a key; None where nothing is kept under it, or nothing that can be read."""
        with self._lock:
            row = self._try(lambda connection: self._row(connection, kind, key))
        if row is None:
            return None
        try:
            unpacker = zlib.decompressobj()
            text = unpacker.decompress(row, MAX_ENTRY)
            value = json.loads(text) if unpacker.eof else None
        except (zlib.error, ValueError, RecursionError):
            return None
        return value if isinstance(value, dict) else None

    def has(self, kind: str, key: str) -> bool:
        """Tell whether something is kept under a key."""
        query = "SELECT 1 FROM entries WHERE key = ?"
        with self._lock:
            return self._try(lambda c: c.execute(query, (_digest(kind, key),)).fetchone()) is not None

    def put(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep a value that JSON can hold."""
        text = json.dumps(value).encode()
        if len(text) > MAX_ENTRY:
            return
        entry = (_digest(kind, key), kind, int(time.time()), zlib.compress(text, 6))
        with self._lock:
            self._try(lambda connection: self._write(connection, entry))

    def statistics(self) -> Statistics:
        """Count the entries; zeros where the file cannot be read."""
        with self._lock:
            query = "SELECT kind, count(*) FROM entries GROUP BY kind ORDER BY kind"
            rows = self._try(lambda c: c.execute(query).fetchall()) if self.path.exists() else None
        return Statistics(self.path, dict(rows or []), sum(_size(path) for path in self._files()))

    def clear(self) -> None:
        """Delete every entry, and the file itself where it cannot be read.

        A run that uses it meanwhile goes on with it: its file stays where it is.

        Raises:
            OSError: The file cannot be deleted, or another process holds it.
        """
        with self._lock:
            self._off = False
            if self.path.is_file() and self._delete_entries():
                return
            self._close()
            for path in self._files():
                path.unlink(missing_ok=True)

    def _delete_entries(self) -> bool:
        """Delete every entry; False where this is no cache that can be read."""
        try:
            connection = self._open()
            connection.execute("DELETE FROM entries")
            connection.executescript(_SHRINK)
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        except sqlite3.Error as error:
            self._close()
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:  # its low byte says the kind
                raise OSError(errno.EBUSY, "another process holds it, try again", str(self.path)) from error
            return False
        return True

    def close(self) -> None:
        """Close the file; the next use opens it again."""
        with self._lock:
            self._close()

    def _files(self) -> list[Path]:
        return [self.path.with_name(self.path.name + end) for end in ("", "-wal", "-shm")]

    def _try(self, use: Callable[[sqlite3.Connection], Any]) -> Any:
        """Use the file. Where that fails: return None, and leave the file alone for the rest of this process."""
        if self._off:
            return None
        try:
            return use(self._open())
        except (sqlite3.Error, OSError, OverflowError) as error:
            self._off = True
            self._close()
            _log.warning(
                "the cache %s is not used (%s); nothing else changes. `tgsci molecules cache --clear` makes a new one, "
                "%s= does without",
                self.path,
                error,
                CACHE_VARIABLE,
            )
            return None

    def _open(self) -> sqlite3.Connection:
        if self._connection is not None and self._process == os.getpid():
            return self._connection
        self.path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self.path, timeout=_PATIENCE, isolation_level=None, check_same_thread=False)
        try:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            connection.execute("PRAGMA trusted_schema=OFF")
            connection.executescript(_SCHEMA)
        except BaseException:
            connection.close()
            raise
        # One that a parent process opened belongs to it: it is dropped here, not closed.
        self._connection, self._process = connection, os.getpid()
        return connection

    def _close(self) -> None:
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()
        self._connection = None

    def _row(self, connection: sqlite3.Connection, kind: str, key: str) -> bytes | None:
        digest = _digest(kind, key)
        row = connection.execute("SELECT used, payload FROM entries WHERE key = ?", (digest,)).fetchone()
        if row is None:
            return None
        used, payload = row
        now = int(time.time())
        if now - int(used) > _NOTED:
            connection.execute("UPDATE entries SET used = ? WHERE key = ?", (now, digest))
        return payload if isinstance(payload, bytes) else None

    def _write(self, connection: sqlite3.Connection, entry: tuple[bytes, str, int, bytes]) -> None:
        connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?)", entry)
        self._written += 1
        if self._written % _LOOK == 1:
            self._prune(connection)

    def _prune(self, connection: sqlite3.Connection) -> None:
        """Delete the entries that were not used for longest, until the file is small enough."""
        while self._used(connection) > self._max_bytes:
            (count,) = connection.execute("SELECT count(*) FROM entries").fetchone()
            if not count:
                return
            oldest = "SELECT key FROM entries ORDER BY used, rowid LIMIT ?"
            connection.execute(f"DELETE FROM entries WHERE key IN ({oldest})", (max(1, count // 10),))
            connection.executescript(_SHRINK)

    def _used(self, connection: sqlite3.Connection) -> int:
        pages, free, size = (
            connection.execute(f"PRAGMA {what}").fetchone()[0] for what in ("page_count", "freelist_count", "page_size")
        )
        return int((pages - free) * size)


def get(kind: str, key: str) -> dict[str, Any] | None:
    """Look a result up in the user's cache; None where it is not there, or there is no cache."""
    shared = user_cache()
    return shared.get(kind, key) if shared else None


def has(kind: str, key: str) -> bool:
    """Tell whether the user's cache has a result."""
    shared = user_cache()
    return shared.has(kind, key) if shared else False


def put(kind: str, key: str, value: Mapping[str, Any]) -> None:
    """Keep a result in the user's cache, where there is one."""
    shared = user_cache()
    if shared:
        shared.put(kind, key, value)


def feedback(fingerprint: str, value: str, compute: Callable[[], Feedback]) -> Feedback:
    """Look up a loss's feedback on a value, or compute it and keep it.

    Failures are not kept, nor is what another version of this code wrote: its report may say less.

    Args:
        fingerprint: The loss's; it names everything that changes the result.
        value: Canonical.
        compute: Measures it.
    """
    shared = user_cache()
    if shared is None:
        return compute()
    key = f"{value} by {fingerprint} {_code()}"
    kept = shared.get("feedback", key)
    if kept is not None:
        try:
            return _from_json(kept)
        except (AttributeError, KeyError, TypeError, ValueError):
            pass
    measured = compute()
    if measured.measured:
        shared.put("feedback", key, _as_json(measured))
    return measured


def user_cache() -> Cache | None:
    """Open this user's cache, in the directory that TGSCI_CACHE names or where such files belong; None for no cache."""
    directory = cache_directory()
    return cache_in(directory) if directory else None


@cache
def cache_in(directory: Path) -> Cache:
    """Open the cache of a directory: one object for each."""
    name = "molecules.db"
    if is_shared(directory):  # each machine its own file: two must not write one
        name = f"molecules-{''.join(c for c in platform.node() if c.isalnum() or c in '-_')[:60]}.db"
    return Cache(directory / name)


def is_shared(place: Path) -> bool:
    """Tell whether a directory is on a network file system, as far as /proc/mounts tells."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
    except (OSError, UnicodeDecodeError):
        return False
    within = [(len(m[1]), m[2]) for m in mounts if len(m) > 2 and place.is_relative_to(m[1])]
    return bool(within) and max(within)[1].startswith(_SHARED)


def _digest(kind: str, key: str) -> bytes:
    return bytes.fromhex(digest(kind, key))


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


@cache
def _code() -> str:
    """Name this package's code and tables: a report is worth keeping only as long as what wrote it."""
    package = Path(__file__).parents[1]
    return digest(source_digest(package), *(path.read_bytes() for path in sorted(package.rglob("*.tsv"))), size=8)


def _as_json(measured: Feedback) -> dict[str, Any]:
    return {
        "loss": measured.loss,
        "text": measured.text,
        "metrics": dict(measured.metrics),
        "violations": dict(measured.violations),
        "artifacts": {
            name: {"base64": base64.b64encode(content).decode()} if isinstance(content, bytes) else content
            for name, content in measured.artifacts.items()
        },
    }


def _from_json(kept: Mapping[str, Any]) -> Feedback:
    artifacts = {
        str(name): base64.b64decode(content["base64"]) if isinstance(content, dict) else str(content)
        for name, content in kept["artifacts"].items()
    }
    return Feedback(float(kept["loss"]), str(kept["text"]), kept["metrics"], kept["violations"], artifacts)
