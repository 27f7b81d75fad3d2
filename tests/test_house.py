"""The house keeps its floors: a module imports only from below, and the core never from a domain."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

import tgsci

ROOT = Path(__file__).parents[1]
CORE = ROOT / "tgsci"

#: From the ground up; modules of one floor may use each other.
FLOORS = [
    {"errors", "texts", "files", "figures", "prompts", "graph_layout"},
    {"engine", "engines"},
    {"feedback"},
    {"variable", "graph"},
    {"functions", "autograd"},
    {"judges"},
    {"loss"},
    {"trial"},
    {"replies"},
    {"optimizer"},
    {"menu"},
    {"domain"},
    {"ledger", "workers"},
    {"executors"},
    {"result", "plots"},
    {"finish"},
    {"search"},
    {"report", "proposers", "comparison"},
    {"runs"},
    {"progress"},
    {"cli", "cli_runs", "testing"},
    {"__init__", "__main__"},
]
#: Looking up is allowed where a floor offers a convenience of the next one, at the moment it is used.
LAZY = {
    ("engine", "engines"),
    ("judges", "replies"),
    ("search", "__init__"),
    ("report", "__init__"),
    ("cli", "__init__"),
}


def floor(room: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS) if room in rooms)


def imports(path: Path) -> set[str]:
    """The rooms of the core that a file imports from, type checking apart."""
    package = ("tgsci", *path.relative_to(CORE).parts[:-1])
    found = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.ImportFrom):
                base = package[: len(package) - child.level + 1] if child.level else ()
                module = [*base, *(child.module or "").split(".")]
                whole = [part for part in module if part]
                if whole[:1] == ["tgsci"]:
                    names = whole[1:2] or [alias.name for alias in child.names]
                    found.update(n if (CORE / n).is_dir() or (CORE / f"{n}.py").exists() else "__init__" for n in names)
            visit(child)

    visit(ast.parse(path.read_text()))
    return found


@pytest.mark.parametrize("path", sorted(CORE.rglob("*.py")), ids=lambda path: str(path.relative_to(CORE)))
def test_a_module_imports_only_from_its_floor_or_below(path):
    parts = path.relative_to(CORE).parts
    room = parts[0] if len(parts) > 1 else path.stem
    above = {other for other in imports(path) if floor(other) > floor(room) and (room, other) not in LAZY}
    assert not above, f"{path.name} imports from above: {sorted(above)}"


def test_the_core_names_no_domain():
    for path in CORE.rglob("*.py"):
        assert "tgsci_molecules" not in path.read_text(), path


def test_importing_the_core_loads_nothing_heavy():
    code = "import sys, tgsci; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tgsci" in loaded
    assert not {"litellm", "rdkit", "numpy", "pandas", "matplotlib", "rich", "vina"} & set(loaded)


def test_the_version_is_said_once_and_alike():
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*)"$', project, re.MULTILINE)[1] == tgsci.__version__
    assert f"## [{tgsci.__version__}]" in (ROOT / "CHANGELOG.md").read_text()
