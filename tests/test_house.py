"""The house keeps its floors: no file imports from above, none in a circle, and the core never a domain.

Imports inside functions count as well. Only what stands under `TYPE_CHECKING` does not: it is gone at run time.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

import tgsci

ROOT = Path(__file__).parents[1]
PACKAGES = {
    "tgsci": ROOT,
    **dict.fromkeys(("tgsci_molecules", "tgsci_radiotherapy", "tgsci_language"), ROOT / "domains"),
}

#: From the ground up: the rooms of each package, by the first name after the package's. Rooms of one floor do not know
#: each other. A file that stands alone is a room of its own.
FLOORS = {
    "tgsci": [
        "errors",
        "basics",
        "fingerprint prompts",
        "identity",
        "engine feedback",
        "graph",
        "gradient",
        "variable",
        "functions replies",
        "judges",
        "loss optimizer autograd",
        "engines compute",
        "search",
        "show",
        "runs",
        "cli textgrad testing",
        "__init__",
        "__main__",
    ],
    "tgsci_molecules": [
        "failures tables",
        "molecule",
        "target",
        "docking",
        "job preparation",
        "pose",
        "physics",
        "objective",
        "editor views",
        "insight",
        "commands",
        "plugin",
        "__init__",
    ],
    "tgsci_radiotherapy": [
        "notice names job",
        "case",
        "planner",
        "plan",
        "goals",
        "loss",
        "editor importers qa",
        "views",
        "commands",
        "plugin",
        "__init__",
    ],
    "tgsci_language": [
        "engines sandbox",
        "datasets",
        "scoring",
        "answers code prompts",
        "commands",
        "plugin",
        "__init__",
    ],
}


def modules(package: str) -> dict[str, Path]:
    """Every module of a package by its dotted name; a package is named without `__init__`."""
    base = PACKAGES[package]
    found = {}
    for path in sorted((base / package).rglob("*.py")):
        parts = path.relative_to(base).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


@cache
def imports(package: str) -> dict[str, set[str]]:
    """For each module of a package, the modules of the same package that it imports."""
    known = modules(package)
    return {name: {m for m in _imported(path, name, known) if m != name} for name, path in known.items()}


def _imported(path: Path, name: str, known: dict[str, Path]) -> set[str]:
    parent = name if path.name == "__init__.py" else name.rpartition(".")[0]
    found = set()

    def visit(node: ast.AST) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.dump(child.test):
                continue
            if isinstance(child, ast.ImportFrom):
                above = parent.split(".")[: len(parent.split(".")) - child.level + 1] if child.level else []
                module = ".".join([*above, *filter(None, [child.module])])
                for alias in child.names:  # a module, or something in one
                    whole = f"{module}.{alias.name}"
                    found.add(whole if whole in known else module)
            elif isinstance(child, ast.Import):
                found.update(alias.name for alias in child.names)
            visit(child)

    visit(ast.parse(path.read_text(encoding="utf-8")))
    return {module for module in found if module in known}


def room(module: str) -> str:
    return [*module.split("."), "__init__"][1]


def floor(package: str, name: str) -> int:
    return next(i for i, rooms in enumerate(FLOORS[package]) if name in rooms.split())


@pytest.mark.parametrize("package", PACKAGES)
def test_every_room_has_a_floor_and_every_floor_its_rooms(package):
    assert {room(module) for module in modules(package)} == {r for rooms in FLOORS[package] for r in rooms.split()}


@pytest.mark.parametrize("package", PACKAGES)
def test_a_file_imports_only_from_its_room_or_from_below(package):
    wrong = [
        f"{module} imports {other}"
        for module, others in imports(package).items()
        for other in sorted(others)
        if room(other) != room(module) and floor(package, room(other)) >= floor(package, room(module))
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("package", PACKAGES)
def test_no_files_import_each_other_in_a_circle(package):
    graph = {module: set(others) for module, others in imports(package).items()}
    while free := {module for module, others in graph.items() if not others}:  # the ground floor, again and again
        graph = {module: others - free for module, others in graph.items() if module not in free}
    while loose := set(graph) - {other for others in graph.values() for other in others}:  # what only hangs on a circle
        graph = {module: others for module, others in graph.items() if module not in loose}
    assert not graph, "in a circle: " + "; ".join(f"{m} -> {', '.join(sorted(o))}" for m, o in sorted(graph.items()))


def test_the_core_names_no_domain():
    for path in (ROOT / "tgsci").rglob("*.py"):
        named = [domain for domain in PACKAGES if domain != "tgsci" and domain in path.read_text(encoding="utf-8")]
        assert not named, f"{path} names {named}"


@pytest.mark.parametrize("package", [package for package in PACKAGES if package != "tgsci"])
def test_a_domain_knows_no_other_domain(package):
    others = [domain for domain in PACKAGES if domain not in ("tgsci", package)]
    for path in modules(package).values():
        named = [domain for domain in others if domain in path.read_text(encoding="utf-8")]
        assert not named, f"{path} names {named}"


def test_importing_the_core_loads_nothing_heavy():
    code = "import sys, tgsci; print(*sorted({name.split('.')[0] for name in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "tgsci" in loaded
    assert not {"litellm", "rdkit", "numpy", "pandas", "matplotlib", "rich", "vina", "click", "jinja2"} & set(loaded)


def test_the_version_is_said_once_and_alike():
    project = (ROOT / "pyproject.toml").read_text()
    assert re.search(r'^version = "(.*)"$', project, re.MULTILINE)[1] == tgsci.__version__
    assert f"## [{tgsci.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_every_test_has_a_file_of_the_source_beside_it():
    """`tests/` mirrors the source: tests/search/test_ledger.py is about tgsci/search/ledger.py.

    A second file about the same module adds a word: test_loop_resume.py. Tests of the whole stand in `tests/` itself.
    """
    domains = {package.removeprefix("tgsci_"): ROOT / "domains" / package for package in PACKAGES if package != "tgsci"}
    alone = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        *folders, name = path.relative_to(ROOT / "tests").parts
        if not folders:
            continue
        source = domains.get(folders[0], ROOT / "tgsci" / folders[0]).joinpath(*folders[1:])
        words = name.removeprefix("test_").removesuffix(".py").split("_")
        stems = ["_".join(words[:n]) for n in range(len(words), 0, -1)]
        if not any(
            path.exists() for stem in stems for path in (source / f"{stem}.py", source / f"{stem}_.py", source / stem)
        ):
            alone.append(str(path.relative_to(ROOT)))
    assert not alone, "no such source file: " + ", ".join(alone)


def test_tests_import_no_private_names():
    private = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tgsci"):
                private += [f"{path.name}: {a.name}" for a in node.names if re.match("_[^_]", a.name)]
    assert not private, ", ".join(private)
