"""TextGrad's `evaluation/solution_optimization.py` with the control that it lacks: plain sampling with as many calls.

    python benchmarks/textgrad_answers.py gpqa_diamond.csv --engine gpt-4o
    python benchmarks/textgrad_answers.py machine_learning_test.csv --engine ollama/qwen3

GPQA and MMLU are read from your own copies, as published. Three iterations, as there. What was interrupted goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from _textgrad import parser, published, tell


def main(arguments: Sequence[str], engine: Any = None) -> int:
    """Run, print what TextGrad reported and what was measured; `engine` takes the place of a name."""
    from tgsci.errors import TgsciError
    from tgsci_language import compare

    options = parser(__doc__ or "", "a file of questions: GPQA's or MMLU's CSV, or one of your own")
    options.add_argument("--student", help="drafts and samples; default the engine")
    options.add_argument("--temperature", type=float, help="of drafts and samples; default the model's own")
    options.add_argument("--iterations", type=int, default=3, help="criticisms and refinements a question (3)")
    options.add_argument("--first", type=int, help="only so many questions")
    asked = options.parse_args(arguments)
    settings = {"first": asked.first, "iterations": asked.iterations, "temperature": asked.temperature}
    try:
        found = compare(
            asked.data,
            engine or asked.engine,
            asked.student,
            run=asked.work / f"answers-{asked.data.stem}",
            drop_duplicates=True,  # MMLU's college physics has one question twice
            progress=tell("questions"),
            **{name: value for name, value in settings.items() if value is not None},
        )
    except TgsciError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    print(f"\n{published('answers', asked.data)}\n\nmeasured here:\n{found.summary}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
