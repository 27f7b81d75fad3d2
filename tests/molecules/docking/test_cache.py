"""The cache of results: fast where it works, and nowhere a reason for a run to fail or to change."""

from __future__ import annotations

import json
import logging
import math
import os
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tgsci.feedback import Feedback
from tgsci_molecules import Settings, dock
from tgsci_molecules.docking.cache import MAX_ENTRY, Cache, cache_in, feedback, get, is_shared, put, user_cache

TINY = Settings(exhaustiveness=1, max_evals=500, conformers=1)


@pytest.fixture
def cache(tmp_path: Path) -> Iterator[Cache]:
    found = Cache(tmp_path / "new" / "c.db")
    yield found
    found.close()


@pytest.fixture
def fresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TGSCI_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "molecules.db"


def test_what_is_put_comes_back_also_in_another_process(cache: Cache) -> None:
    value = {"score": -9.1234567890123, "text": "\u00c5 \ud83d", "nested": {"list": [1, 2.5, None]}}
    cache.put("docking", "key", value)
    assert cache.get("docking", "key") == value
    assert cache.has("docking", "key")
    assert cache.get("docking", "other") is None
    assert cache.get("feedback", "key") is None
    code = f"from pathlib import Path; from tgsci_molecules.docking.cache import Cache; print(Cache(Path({str(cache.path)!r})).get('docking', 'key') is not None)"  # noqa: E501
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "True"


def test_processes_write_at_the_same_time(cache: Cache) -> None:
    code = (
        "import sys; from pathlib import Path; from tgsci_molecules.docking.cache import Cache\n"
        "c = Cache(Path(sys.argv[1]))\n"
        "for n in range(100): c.put('docking', f'{sys.argv[2]} {n}', {'n': n})\n"
    )
    writers = [subprocess.Popen([sys.executable, "-c", code, str(cache.path), str(n)]) for n in range(3)]
    assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    assert cache.statistics().entries == {"docking": 300}


@pytest.mark.parametrize("harm", ["garbage", "truncated", "directory", "foreign schema", "locked"])
def test_a_harmed_cache_is_a_miss_and_is_said_once(
    harm: str, fresh: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgsci_molecules.docking.cache._PATIENCE", 0.1)
    first = dock("Cc1ccccc1", "ABL1", TINY)
    assert user_cache() is not None
    user_cache().close()  # type: ignore[union-attr]
    cache_in.cache_clear()
    for path in fresh.parent.glob("molecules.db-*"):
        path.unlink()
    lock = None
    if harm == "garbage":
        fresh.write_bytes(b"not a database at all" * 1000)
    elif harm == "truncated":
        fresh.write_bytes(fresh.read_bytes()[:5_000])
    elif harm == "directory":
        fresh.unlink()
        fresh.mkdir()
    elif harm == "foreign schema":
        fresh.unlink()
        with sqlite3.connect(fresh) as connection:
            connection.execute("CREATE TABLE entries (something TEXT)")
    else:
        lock = sqlite3.connect(fresh, isolation_level=None)
        lock.execute("PRAGMA locking_mode=EXCLUSIVE")
        lock.execute("BEGIN EXCLUSIVE")
    with caplog.at_level(logging.WARNING, "tgsci.molecules"):
        again = [dock("Cc1ccccc1", "ABL1", TINY), dock("Cc1ccccc1", "ABL1", TINY)]
    if lock is not None:
        lock.close()
    assert [each.pose_pdbqt for each in again] == [first.pose_pdbqt] * 2
    assert len(caplog.records) == 1
    assert "is not used" in caplog.text
    assert "cache --clear" in caplog.text


def test_a_directory_that_cannot_be_written_changes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TGSCI_CACHE", str(tmp_path / "file" / "below"))
    put("docking", "key", {})
    assert get("docking", "key") is None
    assert len(caplog.records) == 1


def test_a_full_disk_costs_the_entry_and_nothing_else(cache: Cache, caplog: pytest.LogCaptureFixture) -> None:
    cache.put("docking", "before", {"n": 1})
    connection = cache._open()
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count={pages}")  # what SQLite says then is what it says of a full disk
    cache.put("docking", "large", {"text": os.urandom(50_000).hex()})
    assert "full" in caplog.text
    cache.put("docking", "more", {"n": 2})
    assert len(caplog.records) == 1


def test_entries_of_another_shape_are_misses(fresh: Path) -> None:
    first = dock("CCc1ccccc1", "ABL1", TINY)
    user_cache().close()  # type: ignore[union-attr]
    with sqlite3.connect(fresh) as connection:
        (payload,) = connection.execute("SELECT payload FROM entries").fetchone()
        held = json.loads(zlib.decompress(payload))
        for bad in (
            b"\x80\x04pickled",
            zlib.compress(b"[1, 2]"),
            zlib.compress(b"{}"),
            zlib.compress(json.dumps({**held, "forms": []}).encode()),
            zlib.compress(json.dumps({**held, "ligand": {**held["ligand"], "smiles": "C"}}).encode()),
            zlib.compress(b"[" * 100_000),
            zlib.compress(b" " * (MAX_ENTRY + 1)),
            payload[:-7],
        ):
            connection.execute("UPDATE entries SET payload = ?", (bad,))
            connection.commit()
            again = dock("CCc1ccccc1", "ABL1", TINY)
            assert not again.known
            assert again.score == first.score
    assert dock("CCc1ccccc1", "ABL1", TINY).known


def test_what_was_not_used_for_longest_goes_first(tmp_path: Path) -> None:
    cache = Cache(tmp_path / "c.db", max_bytes=1_000_000)
    for number in range(1_200):
        cache.put("docking", str(number), {"text": os.urandom(1_000).hex()})
        if number == 600:
            connection = cache._open()
            connection.execute("UPDATE entries SET used = used - 200000")
            assert cache.get("docking", "5") is not None  # a use that is noted
    assert cache.get("docking", "1199") is not None
    assert cache.get("docking", "5") is not None
    assert cache.get("docking", "6") is None
    cache.close()
    assert cache.path.stat().st_size < 1_400_000  # what was deleted is given back to the disk


def test_clearing_while_another_process_uses_it_harms_neither(cache: Cache) -> None:
    cache.put("docking", "key", {"n": 1})
    other = Cache(cache.path)
    assert other.get("docking", "key") == {"n": 1}
    cache.clear()
    assert other.get("docking", "key") is None
    other.put("docking", "key", {"n": 2})
    assert cache.get("docking", "key") == {"n": 2}
    other.close()
    assert Cache(cache.path).get("docking", "key") == {"n": 2}
    holder = sqlite3.connect(cache.path, isolation_level=None)
    holder.execute("BEGIN EXCLUSIVE")
    cache.close()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("tgsci_molecules.docking.cache._PATIENCE", 0.1)
        with pytest.raises(OSError, match="another process holds it"):
            cache.clear()
    holder.close()
    cache.clear()
    assert cache.statistics().entries == {}


def test_clearing_deletes_also_what_cannot_be_read(cache: Cache) -> None:
    cache.put("docking", "key", {})
    cache.close()
    cache.path.write_bytes(b"garbage" * 1000)
    assert cache.get("docking", "key") is None
    cache.clear()
    assert not cache.path.exists()
    cache.put("docking", "key", {"n": 1})
    assert cache.get("docking", "key") == {"n": 1}


def test_a_feedback_comes_back_whole_and_a_failure_is_tried_again(fresh: Path) -> None:
    whole = Feedback(
        -9.25,
        "the page\n\u00c5",
        {"vina": -9.25, "odd": math.inf},
        {"MW": 3.5},
        {"pose.sdf": "text", "dose.npz": b"\x00\xff"},
    )
    calls = []

    def compute(found: Feedback) -> Feedback:
        calls.append(found)
        return found

    assert feedback("loss 1", "CCO", lambda: compute(whole)) == whole
    assert feedback("loss 1", "CCO", lambda: compute(whole)) == whole
    assert len(calls) == 1
    feedback("loss 2", "CCO", lambda: compute(whole))
    feedback("loss 1", "CCN", lambda: compute(whole))
    assert len(calls) == 3
    for _ in range(2):
        assert not feedback("loss 1", "C", lambda: compute(Feedback.failed("no"))).measured
    assert len(calls) == 5


def test_without_a_cache_everything_is_computed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGSCI_CACHE", "")
    assert user_cache() is None
    assert not dock("Cc1ccccc1", "ABL1", TINY).known
    assert not dock("Cc1ccccc1", "ABL1", TINY).known
    assert feedback("x", "C", lambda: Feedback(1.0)).loss == 1.0


def test_known_feedbacks_come_thousands_a_second(fresh: Path) -> None:
    one = Feedback(-9.0, "a report of some length " * 200, {"vina": -9.0}, {}, {"pose.sdf": "C  1.234 5.678\n" * 200})
    values = [f"value {n}" for n in range(1_000)]
    for value in values:
        feedback("loss", value, lambda: one)
    started = time.process_time()
    assert all(feedback("loss", value, lambda: Feedback(0.0)).loss == -9.0 for value in values)
    assert time.process_time() - started < 0.5


def test_a_networks_file_system_is_told_from_a_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounts = f"disk / ext4 rw 0 0\nhost:/home {tmp_path} nfs4 rw 0 0\ndisk {tmp_path}/local xfs rw 0 0\n"
    monkeypatch.setattr(Path, "read_text", lambda self, encoding=None: mounts)
    assert is_shared(tmp_path / "cache")
    assert not is_shared(tmp_path / "local" / "cache")
    assert not is_shared(Path("/var/cache"))
