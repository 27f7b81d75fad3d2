"""TextGrad's `evaluation/prompt_optimization.py`: an instruction for a cheap model, improved by a strong one.

    python benchmarks/textgrad_prompt.py object_counting.json --engine gpt-4o --student gpt-3.5-turbo
    python benchmarks/textgrad_prompt.py train.jsonl --engine ollama/qwen3 --student ollama/llama3.2:1b

Its settings: minibatches of 3, 12 steps, a step is kept where validation is not worse; BIG-Bench Hard files are split
50 / 100 / 100. GSM8K is read from the JSON Lines files as published. Unlike there, test is measured once, at the end.
What was interrupted goes on.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

from _textgrad import parser, published, tell

#: The instruction that TextGrad begins with, by what the answer is.
START = {
    "number": "You will answer a reasoning question. Think step by step. The last line of your response should be of "
    "the following format: 'Answer: $VALUE' where VALUE is a numerical value.",
    "text": "You will answer a reasoning question. Think step by step. The last line of your response should be of the "
    "following format: 'Answer: $VALUE' where VALUE is the answer.",
}


def main(arguments: Sequence[str], engine: Any = None, student: Any = None) -> int:
    """Run, print what TextGrad reported and what was measured; `engine` and `student` take the place of names."""
    from tgsci.errors import TgsciError
    from tgsci.runs.run import solve
    from tgsci_language.engines import Engines
    from tgsci_language.prompts.final import verdict
    from tgsci_language.prompts.problem import problem

    options = parser(__doc__ or "", "BIG-Bench Hard JSON, GSM8K JSON Lines, or another file of examples")
    options.add_argument("--student", help="the model that follows the instruction")
    options.add_argument("--test", help="a test file of its own, as GSM8K has it")
    options.add_argument("--steps", type=int, default=12, help="steps (12)")
    options.add_argument("--minibatch", type=int, default=3, help="train examples a step (3)")
    asked = options.parse_args(arguments)
    config = {"data": str(asked.data), "minibatch": asked.minibatch, "racing": 0, "student": asked.student}
    start = START["text" if "word" in asked.data.name else "number"]
    config |= {"test": asked.test, "duplicates": "drop", "instruction": start}
    try:
        Engines.of(engine or asked.engine, student or asked.student).check()
        built = problem({name: value for name, value in config.items() if value is not None}, student=student)
        result = solve(
            built,
            engine=engine or asked.engine,
            budget=asked.steps + 1,
            proposals=1,
            keep_ties=True,
            run=asked.work / f"prompt-{asked.data.stem}",
            progress=tell("measured"),
        )
    except TgsciError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    before = result.finals.get(0)
    first = f"{before.metrics['test accuracy']:.1f}" if before else "not measured"
    after = result.finals.get(result.best.number) if result.best else None
    best = f"{after.metrics['test accuracy']:.1f}" if after else "not measured"
    print(f"\n{published('prompt', asked.data)}\nmeasured here, on test: {first} -> {best}\n{verdict(result)}")
    print(result.summary())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
