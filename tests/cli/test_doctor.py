"""What `tgsci doctor` finds."""

import sys

import pytest

from tgsci.runs.domain import Domain


def test_it_says_what_is_there_and_what_would_leave_the_machine(tgsci, tmp_path, monkeypatch):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "results.db").write_bytes(bytes(2_500_000))
    found = tgsci("doctor", TGSCI_CACHE=str(tmp_path / "cache"))
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout.startswith("tgsci 0.")
    assert f"Python {sys.version.split()[0]}" in found.stdout
    assert "  polynomial: find x, in m\n" in found.stdout
    assert "Engine: rule editors propose, nothing leaves this machine; TGSCI_ENGINE may name a model" in found.stdout
    assert f"Cache: {tmp_path / 'cache'}, 2.5 MB" in found.stdout
    assert "Cache: none" in tgsci("doctor", TGSCI_CACHE="").stdout


def test_a_missing_package_is_named_with_its_extra(tgsci, monkeypatch):
    needed = ["rich>=13", "nowhere-at-all>=2; extra == 'dask'", "click>=8; extra == 'models'", "x; extra == 'test'"]
    monkeypatch.setattr("tgsci.cli.doctor.requires", lambda name: needed)
    lines = tgsci("doctor").stdout.splitlines()
    assert "  dask    missing nowhere-at-all: pip install 'tgsci[dask]'" in lines
    assert any(line.startswith("  models  click 8.") for line in lines)
    assert not any(line.startswith("  test") for line in lines)


@pytest.mark.parametrize(
    ("engine", "says", "code"),
    [
        ("human", "TGSCI_ENGINE is human: you: prompts are shown here", 0),
        ("replay:nowhere.jsonl", "TGSCI_ENGINE is replay:nowhere.jsonl, which cannot be used: ", 1),
    ],
)
def test_the_engine_that_is_set_is_tried_without_asking_it(tgsci, engine, says, code):
    found = tgsci("doctor", TGSCI_ENGINE=engine)
    assert says in found.stdout
    assert found.returncode == code


def test_a_broken_domain_is_no_good_health(tgsci, tmp_path):
    info = tmp_path / "broken" / "broken_domain-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-domain\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[tgsci.domains]\nbroken = no_such_package:domain\n")
    found = tgsci("doctor", packages=[tmp_path / "broken"])
    assert found.returncode == 1
    assert "  broken: the domain 'broken' cannot be imported" in found.stdout


def test_a_domain_says_what_it_needs_of_the_machine(tgsci, monkeypatch):
    said = [(True, "sandbox: holds"), (False, "scanner: not switched on")]
    monkeypatch.setattr(Domain, "doctor", lambda self: said)
    found = tgsci("doctor")
    lines = found.stdout.splitlines()
    place = lines.index("  polynomial: find x, in m")
    assert lines[place + 1 : place + 3] == ["    sandbox: holds", "    scanner: not switched on"]
    assert found.returncode == 1
