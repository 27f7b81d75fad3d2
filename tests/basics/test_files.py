"""Files that are whole or not there at all, checked before the work, and named by what made them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tgsci.basics.files import as_path, cache_directory, digest, replacing, source_digest, writable, write_atomically
from tgsci.errors import UsageError


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    write_atomically(path, "old")
    with pytest.raises(UnicodeEncodeError):
        write_atomically(path, "new \ud800")
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["table.csv"]


def test_a_file_of_another_writer_takes_its_place_once_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "case.zarr"
    path.write_text("old")
    with pytest.raises(UnicodeEncodeError), replacing(path) as temporary:
        temporary.write_text("half \ud800", encoding="utf-8")
    assert path.read_text() == "old"
    with replacing(path) as temporary:
        temporary.write_text("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert path.stat().st_mode & 0o777 == 0o644
    assert [p.name for p in tmp_path.iterdir()] == ["case.zarr"]
    with pytest.raises(OSError, match="none") as caught, replacing(tmp_path / "none" / "a"):
        pass
    assert caught.value.filename == str(tmp_path / "none" / "a")


def test_the_longest_name_can_be_written(tmp_path: Path) -> None:
    path = writable(tmp_path / ("a" * 255))
    write_atomically(path, "long")
    assert path.read_text() == "long"


def test_a_path_is_text_or_a_path() -> None:
    assert as_path("a", "run") == Path("a")
    with pytest.raises(UsageError, match="run must be a directory's path, not 3"):
        as_path(3, "run")


def test_nothing_is_replaced_that_nobody_asked_to_replace(tmp_path: Path) -> None:
    path = tmp_path / "plan.json"
    assert writable(path) == path
    assert not list(tmp_path.iterdir())
    path.write_text("mine")
    with pytest.raises(UsageError, match=r"plan\.json exists already; give another name, or --force to replace it"):
        writable(path)
    assert writable(path, force=True) == path
    assert path.read_text() == "mine"


def test_a_place_that_takes_no_file_is_refused_before_the_work(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is a directory; name a file"):
        writable(tmp_path, force=True)
    with pytest.raises(UsageError, match=r"there is no directory .* to write plan\.json into"):
        writable(tmp_path / "none" / "plan.json")
    with pytest.raises(UsageError, match="give another"):
        writable(Path("/proc/plan.json"))
    with pytest.raises(UsageError):
        writable(tmp_path / ("a" * 5000))
    (tmp_path / "case.zarr").mkdir()
    assert writable(tmp_path / "case.zarr", force=True)


def test_the_cache_is_where_the_user_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGSCI_CACHE", str(tmp_path))
    assert cache_directory() == tmp_path
    monkeypatch.setenv("TGSCI_CACHE", "")
    assert cache_directory() is None
    monkeypatch.delenv("TGSCI_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    directory = cache_directory()
    assert directory is not None
    assert directory.name == "tgsci"


def test_a_digest_knows_its_parts_and_their_borders() -> None:
    assert digest("a", "bc") == digest(b"a", "bc")
    assert len({digest("a", "bc"), digest("ab", "c"), digest("abc"), digest("bc", "a"), digest("a", "bc", size=8)}) == 5
    assert digest("\ud800")


def test_other_source_has_another_digest(tmp_path: Path) -> None:
    def package(name: str, **files: str) -> Path:
        (tmp_path / name / "room").mkdir(parents=True)
        for file, content in files.items():
            (tmp_path / name / "room" / f"{file}.py").write_text(content)
        return tmp_path / name

    one = source_digest(package("one", a="1", b="2"))
    assert source_digest(package("same", a="1", b="2")) == one  # wherever it is installed
    assert source_digest(package("moved", a="1", c="2")) != one
    assert source_digest(package("changed", a="1", b="3")) != one
    assert source_digest(tmp_path / "one" / "room" / "a.py") != one
