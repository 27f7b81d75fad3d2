"""What a prompt search leaves in its directory: the best instruction as the student sees it, to be pasted elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tgsci.basics.files import write_atomically

from .loss import PromptLoss

if TYPE_CHECKING:
    from tgsci.runs.result import Result


class Export:
    """Writes the system prompt of the best instruction: `best-prompt.txt`, or one file a step.

    Args:
        loss: Knows the examples that an instruction may show.
    """

    def __init__(self, loss: PromptLoss) -> None:
        self.loss = loss

    def __call__(self, result: Result, directory: Path) -> list[Path]:
        """Write the files, and return their paths.

        Raises:
            OSError: One cannot be written.
        """
        if result.best is None:
            return []
        prompt, files = self.loss.read(result.best.value), []
        for step in range(len(prompt.steps)):
            number = f"-{step + 1}" if len(prompt.steps) > 1 else ""
            files.append(directory / f"best-prompt{number}.txt")
            write_atomically(files[-1], f"{self.loss.student.system(prompt, step)}\n")
        return files
