"""What the counterparts of TextGrad's `evaluation/` scripts share: the published figures, and where runs are kept."""

from __future__ import annotations

import argparse
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent


@dataclass(frozen=True)
class Published:
    """What TextGrad reported of a task, in %.

    Args:
        title: The task, with its size and model.
        before: Before its optimisation.
        after: After it.
        recomputed: What its own result files say besides; "" for nothing.
    """

    title: str
    before: float
    after: float
    recomputed: str = ""

    def __str__(self) -> str:
        more = f"\n  recomputed from its own files: {self.recomputed}" if self.recomputed else ""
        return f"TextGrad reported, {self.title}: {self.before:.1f} -> {self.after:.1f}{more}"


def published(script: str, file: Path) -> str:
    """Find what TextGrad reported of the task that a file's name tells.

    Args:
        script: "answers", "prompt" or "code".
        file: The data.
    """
    tasks = tomllib.loads((HERE / "textgrad.toml").read_text(encoding="utf-8"))[script]
    name = str(file.name).lower()
    for task in tasks.values():
        if any(word in name for word in task["files"]):
            return str(Published(task["title"], task["from"], task["to"], task.get("recomputed", "")))
    return f"TextGrad reported nothing on {file.name}"


def tell(what: str) -> Callable[[Any], None]:
    """Make what a run calls with its progress: it writes how many of `what` are done, and the calls, on one line."""

    def write(progress: Any) -> None:
        spent = progress.spent
        print(f"\r{spent.evaluations} {what}, {spent.model_calls} calls", end="", file=sys.stderr, flush=True)

    return write


def parser(text: str, data: str) -> argparse.ArgumentParser:
    """Make the options that all three have."""
    made = argparse.ArgumentParser(description=text)
    made.add_argument("data", type=Path, help=data)
    made.add_argument("--engine", help="the model that criticises and rewrites; default TGSCI_ENGINE")
    made.add_argument("--work", type=Path, default=Path("textgrad-runs"), help="where runs are kept and go on")
    return made
