"""`tgsci language code --dry-run`: the first prompt, the calls and the price; nobody is asked."""

from pathlib import Path

import pytest

TASK = Path(__file__).parents[3] / "data" / "code" / "element-counts.toml"


@pytest.fixture(autouse=True)
def _no_engine(monkeypatch):
    monkeypatch.delenv("TGSCI_ENGINE", raising=False)


def test_a_dry_run_of_code(tgsci):
    done = tgsci("language", "code", str(TASK), "--engine", "gpt-4o", "--dry-run", "--evals", "9", "--proposals", "4")
    assert done.returncode == 0, done.stderr
    assert "--- proposals, a round each: the first prompt to gpt-4o, about " in done.stdout
    assert "visible tests pass" in done.stdout  # the page of the start, which was run
    assert " 2  proposals" in done.stdout
    assert "price about 0." in done.stdout
    nobody = tgsci("language", "code", str(TASK), "--dry-run")
    assert nobody.returncode == 2
    assert "human to answer yourself" in nobody.stderr
